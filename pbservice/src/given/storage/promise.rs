//! What a server has promised, and what it is: written in one piece, and twice, because no other
//! server knows it.
//!
//! A damaged log is replaced from the primary, but a promise that is forgotten may be given again,
//! to another candidate. So the file holds two copies, a block apart: what destroys one block of a
//! disk does not destroy both.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::format::{HeaderError, Kind, header, push_frame, read_frame, read_header};
use super::{PROMISE, Storage, StorageError};
use crate::given::version::Epoch;

/// Size of a block. The second copy begins at the next multiple of it behind the first one.
const BLOCK: usize = 4096;

/// What a promise file says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Promise {
    /// The highest epoch that the server has promised.
    pub(super) epoch: Epoch,
    /// All servers, in the list with which this one was started first.
    pub(super) servers: BTreeSet<SocketAddr>,
    /// Whether the server may count.
    pub(super) standing: Standing,
}

/// Whether a server may count: promise, acknowledge records, and stand for primary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Standing {
    /// It has all that it ever acknowledged or promised.
    Sound,
    /// Its log was corrupt: it may lack records, but no promise.
    LogLost,
    /// Its directory was empty: it may lack records, and promises too.
    AllLost,
}

/// What was found in a promise file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) promise: Promise,
    /// The server whose promise it is.
    pub(super) server: SocketAddr,
    /// One of the copies is corrupt.
    pub(super) needs_repair: bool,
}

/// The bytes of a promise file.
pub(super) fn encode(promise: &Promise, server: SocketAddr) -> Vec<u8> {
    let mut copy = header(Kind::Promise, server);
    push_frame(&mut copy, 0, promise);
    let mut bytes = copy.clone();
    bytes.resize(copy.len().next_multiple_of(BLOCK), 0);
    bytes.extend(copy);
    bytes
}

/// Reads a promise file. If one copy is corrupt, the other has the promise: both were written
/// before it was given.
pub(super) fn decode(bytes: &[u8]) -> Result<Found, HeaderError> {
    let first = read(bytes);
    let blocks = (BLOCK..bytes.len()).step_by(BLOCK).map(|start| read(&bytes[start..]));
    let second = blocks.reduce(|one, next| if one.is_ok() { one } else { next });
    match (first, second) {
        (Err(error @ HeaderError::OtherVersion(_)), _)
        | (_, Some(Err(error @ HeaderError::OtherVersion(_)))) => Err(error),
        (Ok((promise, server)), second) => {
            let needs_repair = second != Some(Ok((promise.clone(), server)));
            Ok(Found { promise, server, needs_repair })
        }
        (Err(_), Some(Ok((promise, server)))) => Ok(Found { promise, server, needs_repair: true }),
        (Err(error), _) => Err(error),
    }
}

/// One copy.
fn read(bytes: &[u8]) -> Result<(Promise, SocketAddr), HeaderError> {
    let (server, start) = read_header(Kind::Promise, bytes)?;
    let (promise, _) = read_frame(bytes, start).ok_or(HeaderError::Corrupt)?;
    Ok((promise, server))
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
        if epoch > self.promise.epoch {
            self.promise.epoch = epoch;
            self.write_promise()?;
        }
        Ok(())
    }

    /// Replaces the promise file.
    pub(super) fn write_promise(&mut self) -> Result<(), StorageError> {
        self.replace(PROMISE, &encode(&self.promise, self.server))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The promise of one of this number of servers.
    fn promise(servers: u8) -> (Promise, SocketAddr) {
        let address = |host| SocketAddr::from(([10, 0, 0, host], 7001));
        let servers: BTreeSet<SocketAddr> = (1..=servers).map(address).collect();
        (Promise { epoch: u64::MAX, servers, standing: Standing::Sound }, address(1))
    }

    #[test]
    fn one_flipped_bit_never_changes_the_promise() {
        let (promise, server) = promise(5);
        let bytes = encode(&promise, server);
        for bit in 0..bytes.len() * 8 {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let found = decode(&bytes).unwrap();
            assert_eq!((&found.promise, found.server), (&promise, server), "bit {bit}");
        }
    }

    #[test]
    fn a_file_cut_off_has_the_promise_or_is_refused() {
        let (promise, server) = promise(5);
        let bytes = encode(&promise, server);
        for len in 0..bytes.len() {
            match decode(&bytes[..len]) {
                Ok(found) => assert_eq!((&found.promise, found.needs_repair), (&promise, true)),
                Err(error) => assert_eq!(error, HeaderError::Corrupt, "{len} bytes"),
            }
        }
    }

    #[test]
    fn a_long_list_of_servers_takes_more_blocks() {
        let (mut promise, server) = promise(1);
        promise.servers = (1..=1_000).map(|port| SocketAddr::from(([10, 0, 0, 1], port))).collect();
        let mut bytes = encode(&promise, server);
        assert!(bytes.len() > 2 * BLOCK);
        assert_eq!(
            decode(&bytes),
            Ok(Found { promise: promise.clone(), server, needs_repair: false })
        );
        bytes[30] ^= 1;
        assert_eq!(decode(&bytes), Ok(Found { promise, server, needs_repair: true }));
    }
}
