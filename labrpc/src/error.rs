//! How a call can fail.

use std::fmt;

/// Why a call returned no reply.
///
/// On the simulated network a call fails with [`Lost`](RpcError::Lost), and one with a limit also
/// with [`DeadlineExceeded`](RpcError::DeadlineExceeded). What the other variants say is a mistake
/// of the program there, and fails the run. Over [sockets](crate::socket) the two sides are separate
/// programs, so only the caller is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RpcError {
    /// No reply came: the request or the reply was lost, or the server is dead or cannot be
    /// reached. Whether the handler ran cannot be known.
    Lost,
    /// The limit of [`ClientEnd::call_within`](crate::ClientEnd::call_within) passed before a reply
    /// came. The call goes on: its handler may have run, or may run later, at most once.
    DeadlineExceeded,
    /// Sockets only: no connection could be made. The handler did not run.
    Unreachable,
    /// Sockets only: no reply came within
    /// [`Options::call_timeout`](crate::socket::Options::call_timeout). Whether the handler ran, or
    /// still runs, cannot be known.
    TimedOut,
    /// Sockets only: the server has no such method.
    NoSuchMethod,
    /// Sockets only: the arguments are not what the method takes, which did not run; or its reply
    /// is not what the caller expects.
    Unreadable,
    /// Sockets only: the handler panicked.
    Panicked,
    /// Sockets only: the arguments, or the reply, are longer than a message may be.
    TooLarge,
}

impl fmt::Display for RpcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RpcError::Lost => "no reply came",
            RpcError::DeadlineExceeded => "no reply came within the caller's limit",
            RpcError::Unreachable => "no connection could be made",
            RpcError::TimedOut => "no reply came in time",
            RpcError::NoSuchMethod => "the server has no such method",
            RpcError::Unreadable => "arguments or reply are of another type than expected",
            RpcError::Panicked => "the handler panicked",
            RpcError::TooLarge => "arguments or reply are longer than a message may be",
        })
    }
}

impl std::error::Error for RpcError {}
