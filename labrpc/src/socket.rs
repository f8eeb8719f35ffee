//! Calls between processes: the same [`ClientEnd`], [`Server`] and [`Service`](crate::Service) over
//! Unix-domain sockets and TCP.
//!
//! One process serves, and others call it. Here both are in one, which makes no difference to
//! either:
//!
//! ```
//! use labrpc::socket::{self, Address, Options};
//! use labrpc::{RpcError, Server, Service};
//!
//! // The process that serves.
//! let service = Service::new("Echo").method("Twice", |text: String| text.repeat(2));
//! let address: Address = "127.0.0.1:0".parse()?;
//! let listener = socket::listen(&address, Server::new().with(service))?;
//!
//! // The process that calls.
//! let end = socket::connect(listener.address(), Options::default());
//! assert_eq!(end.call("Echo.Twice", &"ab".to_string()), Ok("abab".to_string()));
//!
//! // A mistake is reported to the caller that made it.
//! assert_eq!(end.call::<_, String>("Echo.Thrice", &1), Err(RpcError::NoSuchMethod));
//!
//! listener.shutdown();
//! assert!(end.call::<_, String>("Echo.Twice", &"ab".to_string()).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What holds
//!
//! * Any number of calls are under way on one connection at once, and overtake each other. Each
//!   handler runs in a task of its own.
//! * An end connects at its first call, and again at the first call after its connection was lost.
//!   A call is sent once: it fails with [`RpcError::Lost`](crate::RpcError::Lost) if its connection
//!   ends first, and the caller decides whether to call again.
//! * A call always ends, see [`Options`].
//! * Bytes that are not a message, messages that are too long, and those that stop half-way close
//!   their connection; the reason is logged. They harm neither the process nor other connections,
//!   and take no more memory than they are long. (Arguments are decoded by the types of the
//!   handlers: a type that decodes itself recursively, or a list of elements without bytes, is open
//!   to abuse.)
//! * Callers that hold connections, or that do not read, take a limited number of connections,
//!   threads and bytes, see [`Limits`]. What others do all the time is logged once in a while.
//! * A handler that panics or does not exist, and arguments of another type, are errors for that
//!   caller. Types are compared by their encoding only: the two sides may be different programs.
//!
//! Sockets live in real time. In a [simulation](crate::run) the functions here panic.
//!
//! # Map of the code
//!
//! [`frame`] is the protocol, without I/O. [`stream`] is a connection of either kind, and the
//! frames on it. [`caller`] is the side that calls; [`listener`] accepts connections,
//! [`session`] is one of them, and [`sessions`] decides which one makes room for another.
//! [`repeats`] is what keeps callers from filling the log.

#![allow(rustdoc::private_intra_doc_links, reason = "the documentation shows private parts too")]

mod address;
mod caller;
mod frame;
mod listener;
mod options;
mod repeats;
mod session;
mod sessions;
mod stream;

use std::io;
use std::sync::Arc;

pub use self::address::{Address, AddressError};
use self::caller::SocketEnd;
pub use self::listener::Listener;
pub use self::options::{Limits, Options};
use crate::client_end::ClientEnd;
use crate::server::Server;

/// Serves calls at an address until the listener is dropped.
///
/// A socket file that a dead server left behind is replaced.
///
/// # Errors
/// If the system refuses the address, or another server listens there.
///
/// # Panics
/// In a simulation.
pub fn listen(address: &Address, server: Server) -> io::Result<Listener> {
    listen_with(address, server, Limits::default())
}

/// As [`listen`], with other limits than the usual ones.
///
/// # Errors
/// If the system refuses the address, or another server listens there.
///
/// # Panics
/// In a simulation.
pub fn listen_with(address: &Address, server: Server, limits: Limits) -> io::Result<Listener> {
    Listener::open(address, server, limits)
}

/// An end that calls the server at an address. It connects when it is first called, so the server
/// need not be there yet.
pub fn connect(address: &Address, options: Options) -> ClientEnd {
    ClientEnd::new(Arc::new(SocketEnd::new(address.clone(), options)))
}
