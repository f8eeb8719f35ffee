//! Limits of a connection.

use std::time::Duration;

/// Longest message that can be allowed: what decoding it may take is limited too.
const LONGEST_MESSAGE: usize = 64 << 20;

/// What each side grants to the other. The defaults suit a lab: no well-behaved program comes near
/// them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest arguments or reply in bytes, 16 MB unless set; at most 64 MB count. A caller is told
    /// of a longer one by [`RpcError::TooLarge`](crate::RpcError::TooLarge).
    pub max_message: usize,
    /// Longest time that a message may take from its first byte to its last, 10 s unless set.
    /// Without it, a peer that sends half a message would hold a thread forever.
    pub message_time: Duration,
    /// Calls of one connection that a server runs at once, 256 unless set. It reads no more of them
    /// until one has returned.
    pub max_calls: usize,
    /// Bytes of replies of one connection that wait to be sent, 1 MB unless set. While there are
    /// more, a server reads no more of its calls.
    pub max_unsent: usize,
    /// Calls that a server runs at once on all connections, beyond one for each connection; 256
    /// unless set. This limits the number of threads, and the memory that replies take: until its
    /// reply was sent, a call counts as running.
    pub max_handlers: usize,
    /// Connections that a server serves at once, 256 unless set. For a further one it closes the
    /// one that has been idle for the longest time. Connections on which a call was answered keep a
    /// quarter of the places. If a call is running on each of them, the further one is closed.
    pub max_connections: usize,
    /// How long a server that shuts down waits for calls in flight, 1 s unless set.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_message: 16 << 20,
            message_time: Duration::from_secs(10),
            max_calls: 256,
            max_unsent: 1 << 20,
            max_handlers: 256,
            max_connections: 256,
            grace: Duration::from_secs(1),
        }
    }
}

impl Limits {
    /// The longest message, headers aside.
    pub(crate) fn max_message(&self) -> usize {
        self.max_message.min(LONGEST_MESSAGE)
    }

    /// The longest body of a frame: a message, and the longest name of a method.
    pub(crate) fn max_body(&self) -> usize {
        self.max_message() + 2 + usize::from(u16::MAX)
    }
}

/// How a caller calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Longest time to wait for a connection, 2 s unless set.
    pub connect_timeout: Duration,
    /// Longest time to wait for a reply once there is a connection, 10 s unless set.
    pub call_timeout: Duration,
    /// What is granted to the server; of these only those about messages matter.
    pub limits: Limits,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(2),
            call_timeout: Duration::from_secs(10),
            limits: Limits::default(),
        }
    }
}
