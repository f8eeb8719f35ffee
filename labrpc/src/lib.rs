//! labrpc

mod client_end;
mod codec;
mod collections;
mod error;
mod network;
mod persister;
mod runtime;
mod server;
pub mod socket;
mod sync;

pub use crate::client_end::ClientEnd;
pub use crate::codec::{DecodeError, decode, encode};
pub use crate::collections::{HashMap, HashSet};
pub use crate::error::RpcError;
pub use crate::network::Network;
pub use crate::persister::Persister;
pub use crate::runtime::{
    Backend, DEFAULT_TIME_LIMIT, Failure, FailureKind, Instant, JoinHandle, Node, Outcome, Policy,
    Rng, Settings, SettingsError, Simulation, TaskDied, note, rng, run, run_real, sleep, spawn,
    without_watchdog, yield_now,
};
pub use crate::server::{Server, Service};
pub use crate::sync::{
    Atomic, AtomicBool, AtomicI64, AtomicU32, AtomicU64, AtomicUsize, Condvar, IntoIter, Iter,
    Mutex, MutexGuard, Receiver, RecvError, RecvTimeoutError, Select, SendError, Sender,
    TryRecvError, TrySendError, bounded, channel, rendezvous,
};
