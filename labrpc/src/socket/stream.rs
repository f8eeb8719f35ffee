//! One connection, of either kind, and the frames on it.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use super::address::Address;
use super::frame::{Frame, FrameError};
use super::options::Limits;
use crate::runtime::Instant;

/// How much is read at a time.
const CHUNK: usize = 64 << 10;

/// A connection. Reading and writing may go on at once.
#[derive(Debug)]
pub(crate) enum Stream {
    /// Over a Unix-domain socket.
    Unix(UnixStream),
    /// Over TCP.
    Tcp(TcpStream),
}

impl Stream {
    /// Connects to a server. May take long where the network swallows packets.
    pub(crate) fn dial(address: &Address, timeout: Duration) -> io::Result<Self> {
        match address {
            Address::Unix(path) => UnixStream::connect(path).map(Self::Unix),
            Address::Tcp(host_and_port) => {
                let mut last = io::Error::new(ErrorKind::NotFound, "the host has no address");
                for address in host_and_port.to_socket_addrs()? {
                    match TcpStream::connect_timeout(&address, timeout) {
                        Ok(stream) => return Self::of_tcp(stream),
                        Err(error) => last = error,
                    }
                }
                Err(last)
            }
        }
    }

    /// A TCP connection that sends each message at once.
    pub(crate) fn of_tcp(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self::Tcp(stream))
    }

    /// Ends one or both directions. Threads that wait on it wake up.
    pub(crate) fn shutdown(&self, how: Shutdown) {
        let result = match self {
            Stream::Unix(stream) => stream.shutdown(how),
            Stream::Tcp(stream) => stream.shutdown(how),
        };
        result.ok(); // It fails if the peer has closed the connection already.
    }

    /// Sends all of `bytes`, unless that takes longer than `timeout`.
    pub(crate) fn send(&self, bytes: &[u8], timeout: Duration) -> io::Result<()> {
        let deadline = Instant::now() + timeout;
        let mut rest = bytes;
        while !rest.is_empty() {
            let left = deadline - Instant::now();
            if left.is_zero() {
                return Err(ErrorKind::TimedOut.into());
            }
            let sent = match self {
                Stream::Unix(stream) => {
                    stream.set_write_timeout(Some(left))?;
                    (&mut &*stream).write(rest)
                }
                Stream::Tcp(stream) => {
                    stream.set_write_timeout(Some(left))?;
                    (&mut &*stream).write(rest)
                }
            };
            match sent {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(length) => rest = &rest[length..],
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads some bytes.
    fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Unix(stream) => (&mut &*stream).read(buffer),
            Stream::Tcp(stream) => (&mut &*stream).read(buffer),
        }
    }

    /// Limits how long [`receive`](Self::receive) waits.
    fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        let result = match self {
            Stream::Unix(stream) => stream.set_read_timeout(timeout),
            Stream::Tcp(stream) => stream.set_read_timeout(timeout),
        };
        match result {
            // macOS refuses options once the peer has closed the connection. What the peer sent
            // before that can still be read, and nothing is waited for any more.
            Err(error) if error.kind() == ErrorKind::InvalidInput => Ok(()),
            result => result,
        }
    }
}

/// Why a connection yields no more frames.
#[derive(Debug)]
pub(crate) enum ReadError {
    /// The peer sent something else.
    Frame(FrameError),
    /// The connection ended within a frame.
    CutOff,
    /// A frame took too long.
    Stalled,
    /// The system says so.
    Io(io::Error),
}

impl ReadError {
    /// Its kind, by which lines of the log are counted.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            ReadError::Frame(FrameError::Foreign) => "foreign",
            ReadError::Frame(FrameError::TooLong { .. }) => "too long",
            ReadError::Frame(FrameError::UnknownKind(_)) => "unknown kind",
            ReadError::Frame(FrameError::BadMethod) => "bad method",
            ReadError::Frame(FrameError::BadCode) => "bad code",
            ReadError::CutOff => "cut off",
            ReadError::Stalled => "stalled",
            ReadError::Io(_) => "error",
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadError::Frame(error) => write!(f, "{error}"),
            ReadError::CutOff => f.write_str("it ended within a message"),
            ReadError::Stalled => f.write_str("a message took too long to arrive"),
            ReadError::Io(error) => write!(f, "{error}"),
        }
    }
}

/// The frames that arrive on a connection.
pub(crate) struct FrameReader {
    stream: Arc<Stream>,
    limits: Limits,
    /// Bytes that have arrived; those before `start` are used up. It grows only with what arrives,
    /// whatever length a header claims.
    buffer: Vec<u8>,
    start: usize,
    chunk: Box<[u8]>,
    /// When the frame that is incomplete has to be complete.
    deadline: Option<Instant>,
}

impl FrameReader {
    /// The frames of `stream`.
    pub(crate) fn new(stream: Arc<Stream>, limits: Limits) -> Self {
        let chunk = vec![0; CHUNK].into_boxed_slice();
        Self { stream, limits, buffer: Vec::new(), start: 0, chunk, deadline: None }
    }

    /// Waits for the next frame; `None` when the connection has ended between two.
    pub(crate) fn next(&mut self) -> Result<Option<Frame>, ReadError> {
        loop {
            let rest = &self.buffer[self.start..];
            let decoded = Frame::decode(rest, self.limits.max_body()).map_err(ReadError::Frame)?;
            if let Some((frame, length)) = decoded {
                self.start += length;
                self.end_deadline().map_err(ReadError::Io)?;
                return Ok(Some(frame));
            }
            self.buffer.drain(..self.start);
            self.start = 0;
            if self.buffer.is_empty() {
                self.buffer.shrink_to(CHUNK); // One long message must not take memory forever.
            }
            if !self.read_some()? {
                return if self.buffer.is_empty() { Ok(None) } else { Err(ReadError::CutOff) };
            }
        }
    }

    /// Waits for more bytes; false at the end of the connection.
    fn read_some(&mut self) -> Result<bool, ReadError> {
        if !self.buffer.is_empty() {
            let now = Instant::now();
            let deadline = *self.deadline.get_or_insert(now + self.limits.message_time);
            let left = deadline - now;
            if left.is_zero() {
                return Err(ReadError::Stalled);
            }
            self.stream.set_read_timeout(Some(left)).map_err(ReadError::Io)?;
        }
        match self.stream.receive(&mut self.chunk) {
            Ok(length) => {
                self.buffer.extend_from_slice(&self.chunk[..length]);
                Ok(length > 0)
            }
            Err(error) => match error.kind() {
                ErrorKind::Interrupted => Ok(true),
                ErrorKind::WouldBlock | ErrorKind::TimedOut => Err(ReadError::Stalled),
                _ => Err(ReadError::Io(error)),
            },
        }
    }

    /// The time between two frames is not limited.
    fn end_deadline(&mut self) -> io::Result<()> {
        match self.deadline.take() {
            Some(_) => self.stream.set_read_timeout(None),
            None => Ok(()),
        }
    }
}
