//! Tasks, time, locks, channels and a network for the labs: write a distributed system as ordinary
//! blocking code, and test it in a simulation in which a minute takes a millisecond and every
//! failure can be replayed.
//!
//! # Two servers
//!
//! If you know `std::thread` and `std::sync`, you know most of this crate already.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use labrpc::{Mutex, Network, Node, RpcError, Server, Service, run, sleep, spawn};
//!
//! run(|| {
//!     let network = Network::new();
//!     for (me, peer) in [("S0", "S1"), ("S1", "S0")] {
//!         // One wire from this server to its peer. It is closed until it is enabled.
//!         let wire = format!("{me}-{peer}");
//!         let end = network.make_end_of(me, &wire);
//!         network.connect(&wire, peer);
//!         network.enable(&wire);
//!
//!         // What runs inside `call` runs as a task of the server, and so does what it spawns.
//!         let server = Node::new(me).call(move || {
//!             let highest = Arc::new(Mutex::new(0_u64));
//!             let (mine, told) = (Arc::clone(&highest), highest);
//!             spawn(move || {
//!                 loop {
//!                     sleep(Duration::from_millis(20));
//!                     // The lock is released before the call: the peer may be calling us.
//!                     let number = *mine.lock();
//!                     end.call::<u64, ()>("Gossip.Tell", &number).ok(); // Try again next time.
//!                 }
//!             });
//!             let read = Arc::clone(&told);
//!             let service = Service::new("Gossip")
//!                 .method("Tell", move |number: u64| {
//!                     let mut highest = told.lock();
//!                     *highest = number.max(*highest);
//!                 })
//!                 .method("Read", move |(): ()| *read.lock());
//!             Server::new().with(service)
//!         });
//!         network.add_server(me, server.expect("the node has not crashed"));
//!     }
//!
//!     // A client of the test's own, with a wire to each server.
//!     let [s0, s1] = ["S0", "S1"].map(|name| {
//!         let end = network.make_end(name);
//!         network.connect(name, name);
//!         network.enable(name);
//!         end
//!     });
//!     network.partition(&[&["S0"], &["S1"]]);
//!     assert_eq!(s0.call("Gossip.Tell", &7_u64), Ok(()));
//!     sleep(Duration::from_secs(60)); // of virtual time
//!     assert_eq!(s1.call("Gossip.Read", &()), Ok(0_u64), "the servers are partitioned");
//!
//!     network.heal();
//!     sleep(Duration::from_millis(200));
//!     assert_eq!(s1.call("Gossip.Read", &()), Ok(7_u64), "gossip has spread");
//!
//!     network.disable("S1");
//!     assert_eq!(s1.call::<_, u64>("Gossip.Read", &()), Err(RpcError::Lost));
//! });
//! ```
//!
//! # From `std` to here
//!
//! | instead of | use | which differs in that |
//! |---|---|---|
//! | [`std::thread::spawn`] | [`spawn`] | a panic in any task fails the run |
//! | [`std::thread::sleep`] | [`sleep`] | it takes virtual time |
//! | [`std::time::Instant`] | [`Instant`] | it counts virtual time |
//! | [`std::sync::Mutex`] | [`Mutex`] | `lock()` returns the guard itself |
//! | [`std::sync::Condvar`] | [`Condvar`] | waits return the guard itself |
//! | [`std::sync::mpsc`] | [`channel`], [`bounded`], [`rendezvous`], [`Select`] | receivers can be cloned |
//! | [`std::sync::atomic`] | [`AtomicU64`] and its like | always sequentially consistent |
//! | [`std::collections::HashMap`] | [`HashMap`], [`HashSet`] | their order is the same in every run |
//! | `rand::rng` | [`rng`] | the seed decides what it draws |
//!
//! All of it works on real threads too: with `LAB_RUNTIME=real`, in [`run_real`], or in a plain
//! program outside any run.
//!
//! # What the simulation promises
//!
//! * **One seed, one run.** Schedule, delays, losses and random numbers follow from one number.
//!   Runs are compared by a hash over everything that happens ([`Outcome::trace_hash`]); the same
//!   seed has the same hash in debug and release builds, beside other tests, and with logging on.
//!   Log lines and assertions change nothing, even if a `Display` takes locks.
//! * **Virtual time.** Waiting costs no processor time; when all tasks wait, the clock jumps. Every
//!   operation takes 50 ns of virtual time, so a polling loop makes progress.
//! * **One thing at a time.** Tasks take turns on one thread. A turn ends where a task waits, and
//!   under most policies at any operation on a lock, a channel or an atomic.
//! * **Nothing hangs.** Deadlocks and circles of locks are reported at once, loops without an end
//!   by the processor time that they use.
//!
//! Anything that the seed does not decide breaks these promises: the order of a
//! [`std::collections::HashMap`], real time, real threads, the value of an address, a `static` that
//! one run leaves to the next. (A `thread_local` is shared by all tasks of a run.) A failing run is
//! replayed, and if the replay goes another way, the report says where. Locks of `std` work unless
//! they are held over anything that waits; then they stop the whole simulation, which the watchdog
//! reports.
//!
//! # Replaying a failure
//!
//! The report of a failing test ends with the variables that replay it:
//!
//! ```text
//! LAB_SEED=7741 LAB_POLICY=stall VERBOSE=1 cargo test ...
//! ```
//!
//! Without `LAB_SEED` each run draws a fresh seed; `LAB_RUNS=100` runs a hundred of them. All
//! variables are listed at [`Settings`]. A test that wants a seed of its own uses [`Simulation`].
//!
//! # Policies, and what they find
//!
//! A [`Policy`] says which schedules a seed chooses among. Handlers take no virtual time, so two of
//! them rarely meet; the default policy therefore stalls a server's task now and then, like a
//! thread that lost its processor. In percent of 3 000 runs (`tests/races`):
//!
//! | race | fifo | random | walk | pct | stall |
//! |---|---|---|---|---|---|
//! | lost update: read and written under two locks | 0.0 | 0.0 | 95.1 | 98.5 | 11.2 |
//! | lost wake-up: the condition is checked too early | 0.0 | 0.0 | 79.4 | 83.6 | 12.8 |
//! | ABBA: two locks, taken in two orders | 0.0 | 0.0 | 95.1 | 98.5 | 11.2 |
//! | messages sent after the lock that orders them was released | 0.0 | 0.5 | 0.6 | 0.8 | 34.3 |
//!
//! Walk and pct find races between tasks that are busy at the same instant; stall finds all of
//! them, and is the only one that often finds those between messages. It is the default because a
//! server is rarely busy, and always waiting for messages.
//!
//! # Crash and shutdown
//!
//! [`Node::crash`] stops a server at the point where it stands, as a loss of power would: no line
//! of it runs any more. What its tasks own is dropped, but nothing that a destructor does has an
//! effect: it does not wait, its messages go nowhere, a [`Persister`] keeps what it had. Locks are
//! released. Joining or calling a dead task is an error. Tests of `kill()` do not crash: they
//! call it, and the old incarnation runs on beside the new one, as in the course. That works on
//! real threads too, where nothing can be crashed.
//!
//! # A failure report
//!
//! Two banks hold their lock while they call each other. The test says only that the money has not
//! arrived; the report says why:
//!
//! ```text
//! the money has not arrived
//!   panic at  tests/bank.rs:30:9
//!   task      test: task 1 spawned at tests/bank.rs:7:5
//!   at        5.000006 s
//!   waiting
//!     S0: task 3 spawned at tests/bank.rs:16:17 holds the lock it took at tests/bank.rs:19:44 since 0.010000 s
//!     S1: task 5 spawned at tests/bank.rs:16:17 holds the lock it took at tests/bank.rs:19:44 since 0.010006 s
//!     S0: task 6 spawned at tests/bank.rs:25:17 waits for a lock at tests/bank.rs:24:54 since 0.010318 s, held by S0: task 3 spawned at tests/bank.rs:16:17, which took it at tests/bank.rs:19:44
//!     S1: task 7 spawned at tests/bank.rs:25:17 waits for a lock at tests/bank.rs:24:54 since 0.010621 s, held by S1: task 5 spawned at tests/bank.rs:16:17, which took it at tests/bank.rs:19:44
//!   locks held while waiting
//!     taken at tests/bank.rs:19:44, held over the reply to an RPC at tests/bank.rs:20:28: 2 times, at most 4.990005 s
//!   last log lines
//!     000100 BANK S0 sends 5 to S1
//!     000100 BANK S1 sends 5 to S0
//!   replay    LAB_SEED=7741 LAB_POLICY=stall
//! ```
//!
//! # A map of the files
//!
//! | file | what is in it |
//! |---|---|
//! | `runtime.rs`, `spawn.rs`, `time.rs`, `node.rs` | the facade: tasks, time, random numbers |
//! | `runtime/sync.rs`, `sync/` | locks, condition variables, channels, atomics |
//! | `runtime/port.rs` | what the files outside `runtime` may use of it besides the facade |
//! | `runtime/core.rs`, `core/` | the simulation: scheduling, waiting, killing, and what a report says of tasks |
//! | `runtime/policy.rs`, `timers.rs`, `trace.rs` | which task runs next, what happens when, what happened |
//! | `runtime/simulation.rs`, `settings.rs` | runs, replays, and the environment |
//! | `runtime/recorder.rs`, `recorder/` | what a picture of a run shows, and values in words |
//! | `runtime/divergence.rs`, `watchdog.rs`, `failure.rs` | what can be said of a run that fails |
//! | `runtime/real.rs`, `real/` | the facade on real threads |
//! | `runtime/sys/` | the only unsafe code: stacks, the simulation of a thread, CPU clocks, signals, the end of the process |
//! | `network.rs`, `network/` | the network: links, calls, and what becomes of messages |
//! | `socket.rs`, `socket/` | calls between processes, over Unix-domain sockets and TCP |
//! | `server.rs`, `client_end.rs`, `codec.rs` | both ends of a call, and its encoding |
//! | `transport.rs` | what lies between the two: the network, or a socket |
//! | `persister.rs`, `disk.rs`, `disk/` | what survives a crash: two byte strings, or files with syncs and faults |
//! | `your_code_here.rs` | stands for code that a student has not written yet |
//!
//! # Limits
//!
//! Tested on Linux on `x86_64` only. Elsewhere the watchdog counts real time and cannot tell which
//! thread is blocked, on Windows an overflow of a task's stack is reported without the task's name,
//! and on other processors the order of a [`HashMap`] is another one, though the same in every run.
//! A task's stack has 256 KiB. At most 10 000 tasks can be alive.

mod client_end;
mod codec;
mod collections;
mod disk;
mod error;
mod network;
mod persister;
mod runtime;
mod server;
pub mod socket;
mod transport;
mod your_code_here;

#[cfg(doctest)]
#[doc = include_str!("../../docs/rust.md")]
mod rust_for_this_course {}

pub use contract::accidents::{Accident, AccidentId, AccidentKind, Accidents};

pub use crate::client_end::ClientEnd;
pub use crate::codec::{DecodeError, decode, encode};
pub use crate::collections::{HashMap, HashSet};
pub use crate::disk::{Disk, FaultDuration, SYNC_TIME};
pub use crate::error::RpcError;
pub use crate::network::Network;
pub use crate::persister::{Persister, set_save_time};
pub use crate::runtime::{
    Atomic, AtomicBool, AtomicI64, AtomicU32, AtomicU64, AtomicUsize, Backend, Condvar,
    DEFAULT_TIME_LIMIT, Failure, FailureKind, Instant, IntoIter, Iter, JoinHandle, Mutex,
    MutexGuard, Node, Outcome, Policy, Receiver, Recording, RecvError, RecvTimeoutError, Rng,
    Select, SendError, Sender, Settings, SettingsError, Simulation, TaskDied, TryRecvError,
    TrySendError, bounded, chance, channel, end_process, is_recorded, mishap, note, record,
    rendezvous, rng, run, run_real, sleep, spawn, without_watchdog, yield_now,
};
pub use crate::server::{Server, Service};
pub use crate::your_code_here::your_code_here;
