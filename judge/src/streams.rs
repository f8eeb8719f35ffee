//! Reads from several descriptors in one loop.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, read};

/// The maximum time that the loop waits for bytes.
const TICK: Duration = Duration::from_millis(50);

/// The maximum time for what is left to read at the end.
const LAST_LOOK: Duration = Duration::from_secs(1);

/// Descriptors to read from. The bytes are added to an `S`.
pub(crate) struct Streams<S> {
    open: Vec<Stream<S>>,
}

/// A descriptor that is not at its end yet.
struct Stream<S> {
    descriptor: OwnedFd,
    sink: fn(&mut S, &[u8]),
    /// The loop runs until all streams that must end have ended.
    must_end: bool,
}

impl<S> Streams<S> {
    pub(crate) fn new() -> Self {
        Self { open: Vec::new() }
    }

    /// Adds a descriptor to read to its end.
    pub(crate) fn until_end(&mut self, descriptor: OwnedFd, sink: fn(&mut S, &[u8])) {
        self.open.push(Stream { descriptor, sink, must_end: true });
    }

    /// Adds a descriptor that may stay open, because a process that escaped may have the other end.
    /// It is read until the other descriptors have ended.
    pub(crate) fn meanwhile(&mut self, descriptor: OwnedFd, sink: fn(&mut S, &[u8])) {
        self.open.push(Stream { descriptor, sink, must_end: false });
    }

    /// Reads until all streams that must end have ended, and calls `tick` at least every 50 ms.
    pub(crate) fn read(&mut self, state: &mut S, mut tick: impl FnMut(&mut S)) -> io::Result<()> {
        while self.open.iter().any(|stream| stream.must_end) {
            self.read_ready(state, TICK)?;
            tick(state);
        }
        Ok(())
    }

    /// Reads what the other streams have at hand, for a second at most: a process that has escaped
    /// may write without end.
    pub(crate) fn drain(mut self, state: &mut S) -> io::Result<()> {
        let begin = Instant::now();
        while self.read_ready(state, Duration::ZERO)? && begin.elapsed() < LAST_LOOK {}
        Ok(())
    }

    /// Waits for bytes for at most `limit` and reads a block of each stream that has some. Returns
    /// whether there was anything.
    fn read_ready(&mut self, state: &mut S, limit: Duration) -> io::Result<bool> {
        let timeout =
            Timespec { tv_sec: limit.as_secs() as i64, tv_nsec: i64::from(limit.subsec_nanos()) };
        let ready: Vec<bool> = {
            let mut fds: Vec<PollFd<'_>> = self
                .open
                .iter()
                .map(|stream| PollFd::from_borrowed_fd(stream.descriptor.as_fd(), PollFlags::IN))
                .collect();
            match poll(&mut fds, Some(&timeout)) {
                Ok(0) | Err(Errno::INTR) => return Ok(false),
                Ok(_) => fds.iter().map(|fd| !fd.revents().is_empty()).collect(),
                Err(error) => return Err(error.into()),
            }
        };
        let mut block = [0; 1 << 16];
        let mut ready = ready.into_iter();
        self.open.retain_mut(|stream| {
            if !ready.next().unwrap_or_default() {
                return true;
            }
            match read(&stream.descriptor, &mut block[..]) {
                Ok(0) => false,
                Ok(n) => {
                    (stream.sink)(state, &block[..n]);
                    true
                }
                Err(Errno::INTR | Errno::AGAIN) => true,
                Err(_) => false, // Reset by a peer that died: as good as an end.
            }
        });
        Ok(true)
    }
}
