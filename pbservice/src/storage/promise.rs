//! The epoch that a server has promised: written in one piece, and twice, because no other server knows
//! it.
//!
//! A damaged log is replaced from the primary, but a promise that is forgotten may be given again,
//! to another candidate. So the file holds two copies, a block apart: what destroys one block of a
//! disk does not destroy both.

use std::net::SocketAddr;

use super::format::{HeaderError, Kind, header, push_frame, read_frame, read_header};
use super::{PROMISE, Storage, StorageError};
use crate::state::Epoch;

/// Where the second copy begins: beyond any block that holds the first one.
const SECOND_COPY: usize = 4096;

/// What a promise file says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Promise {
    /// The epoch.
    pub(super) epoch: Epoch,
    /// Whose promise it is.
    pub(super) server: SocketAddr,
    /// One of the copies is corrupt.
    pub(super) needs_repair: bool,
}

/// The bytes of a promise file.
pub(super) fn encode(epoch: Epoch, server: SocketAddr) -> Vec<u8> {
    let mut copy = header(Kind::Promise, server);
    push_frame(&mut copy, 0, &epoch);
    let mut bytes = copy.clone();
    bytes.resize(SECOND_COPY, 0);
    bytes.extend(copy);
    bytes
}

/// Reads a promise file. If one copy is corrupt, the other has the promise: both were written
/// before it was given.
pub(super) fn decode(bytes: &[u8]) -> Result<Promise, HeaderError> {
    let (first, second) = (read(bytes), read(bytes.get(SECOND_COPY..).unwrap_or_default()));
    match (first, second) {
        (Err(error @ HeaderError::Newer(_)), _) | (_, Err(error @ HeaderError::Newer(_))) => {
            Err(error)
        }
        (Ok((epoch, server)), second) => {
            Ok(Promise { epoch, server, needs_repair: second != Ok((epoch, server)) })
        }
        (Err(_), Ok((epoch, server))) => Ok(Promise { epoch, server, needs_repair: true }),
        (Err(error), Err(_)) => Err(error),
    }
}

/// One copy.
fn read(bytes: &[u8]) -> Result<(Epoch, SocketAddr), HeaderError> {
    let (server, start) = read_header(Kind::Promise, bytes)?;
    let (epoch, _) = read_frame(bytes, start).ok_or(HeaderError::Corrupt)?;
    Ok((epoch, server))
}

impl Storage {
    /// Saves that this server will take no part in any epoch before this one. Durable when it
    /// returns, and only then may the promise be given. A smaller one than the last changes
    /// nothing.
    ///
    /// # Errors
    /// If the disk fails, or an earlier operation has failed. The server must stop.
    pub fn save_promise(&mut self, epoch: Epoch) -> Result<(), StorageError> {
        self.check_working()?;
        if epoch > self.promise {
            self.write_promise(epoch)?;
        }
        Ok(())
    }

    /// Replaces the promise file.
    pub(super) fn write_promise(&mut self, epoch: Epoch) -> Result<(), StorageError> {
        self.replace(PROMISE, &encode(epoch, self.server))?;
        self.promise = epoch;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_flipped_bit_never_changes_the_promise() {
        let server = "10.0.0.1:7001".parse().unwrap();
        let bytes = encode(6824, server);
        for bit in 0..bytes.len() * 8 {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let promise = decode(&bytes).unwrap();
            assert_eq!((promise.epoch, promise.server), (6824, server), "bit {bit}");
        }
    }

    #[test]
    fn a_file_cut_off_has_the_promise_or_is_refused() {
        let server = "[::1]:7001".parse().unwrap();
        let bytes = encode(u64::MAX, server);
        for len in 0..bytes.len() {
            match decode(&bytes[..len]) {
                Ok(promise) => assert_eq!((promise.epoch, promise.needs_repair), (u64::MAX, true)),
                Err(error) => assert_eq!(error, HeaderError::Corrupt, "{len} bytes"),
            }
        }
    }
}
