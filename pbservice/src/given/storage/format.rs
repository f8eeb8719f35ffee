//! The bytes of a file: a header that says what it is and whose, then frames, each with a checksum.
//!
//! ```text
//! header   magic 8 | format version 4 | length of address 4 | checksum 4 | address
//! frame    length 4 | checksum 4 | length bytes: the codec's encoding of a value
//! ```
//!
//! Numbers are little-endian. A frame's checksum covers its length, its bytes and its *offset* in
//! the file: bytes are a frame only at the place where they were written as one. So neither what an
//! older file left on the disk, nor a log that a client stored as a value, is taken for a frame.
//!
//! # Why these bytes
//!
//! The lecture compares ways to store the table. What they cost for a log of puts, with keys of 10
//! bytes and values of 32, by `cargo bench -p benches --bench formats` (on a busy machine with two
//! processors: only the proportions count; a frame's header adds 8 bytes to any of them):
//!
//! | | bytes a record | write, us a record | read, us a record | and |
//! |---|---|---|---|---|
//! | lines of text | 74 | 1.5 | 0.7 | readable; line ends must be escaped, and half a line looks whole |
//! | fixed binary | 128 | 0.06 | 0.4 | record n is found by counting; what is longer does not fit |
//! | XML | 172 | 2.7 | 4.9 | readable, by everything; with a parser for this shape only |
//! | JSON | 152 | 0.4 | 1.4 | readable, by everything |
//! | the codec (bincode) | 59 | 0.07 | 0.4 | small and fast; needs a program to be read |
//!
//! The log is synced for every group of operations, and what is written then is what costs; and
//! none of the formats notices by itself that a record is cut off or corrupt. So the log has frames
//! with the codec's bytes, `pbservice log` is the program to read them, and the snapshot, which is
//! sent to other servers with the same codec, is one such frame. A new field means a new
//! [`FORMAT_VERSION`], since the codec writes no names of fields.

use std::net::SocketAddr;

use crc32fast::Hasher;
use labrpc::{decode, encode};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The format that this program reads and writes. A directory of another one is refused.
pub(super) const FORMAT_VERSION: u32 = 2;

/// Bytes of a header before the address.
const HEADER_LEN: usize = 20;

/// Bytes of a frame before its contents.
const FRAME_HEADER_LEN: usize = 8;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Records.
    Log,
    /// The table.
    Snapshot,
    /// The epoch that the server has promised, and what the server is.
    Promise,
}

impl Kind {
    /// The first bytes of such a file. The line end shows whether a tool has "mended" line ends.
    fn magic(self) -> &'static [u8; 8] {
        match self {
            Self::Log => b"pblog\r\n\0",
            Self::Snapshot => b"pbsnap\r\n",
            Self::Promise => b"pbprom\r\n",
        }
    }
}

/// Why a file's header cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum HeaderError {
    /// Its bytes are not those that were written.
    Corrupt,
    /// The file is sound, and its format is not [`FORMAT_VERSION`].
    OtherVersion(u32),
}

/// The header of a file of this server.
pub(super) fn header(kind: Kind, server: SocketAddr) -> Vec<u8> {
    header_of_version(kind, FORMAT_VERSION, server)
}

/// The header of a file in this format.
pub(super) fn header_of_version(kind: Kind, version: u32, server: SocketAddr) -> Vec<u8> {
    let address = encode(&server);
    let mut bytes = kind.magic().to_vec();
    bytes.extend(version.to_le_bytes());
    bytes.extend((address.len() as u32).to_le_bytes());
    bytes.extend(header_checksum(&bytes, &address).to_le_bytes());
    bytes.extend(address);
    bytes
}

/// Whose file this is, and where its header ends.
pub(super) fn read_header(kind: Kind, bytes: &[u8]) -> Result<(SocketAddr, usize), HeaderError> {
    let number_at = |offset| number(bytes, offset).ok_or(HeaderError::Corrupt);
    let (version, len, checksum) = (number_at(8)?, number_at(12)?, number_at(16)?);
    let end = HEADER_LEN.saturating_add(len as usize);
    let address = bytes.get(HEADER_LEN..end).ok_or(HeaderError::Corrupt)?;
    if !bytes.starts_with(kind.magic()) || header_checksum(&bytes[..16], address) != checksum {
        return Err(HeaderError::Corrupt);
    }
    if version != FORMAT_VERSION {
        return Err(HeaderError::OtherVersion(version));
    }
    Ok((decode(address).map_err(|_| HeaderError::Corrupt)?, end))
}

/// The checksum of a header.
fn header_checksum(before: &[u8], address: &[u8]) -> u32 {
    let mut hasher = Hasher::new();
    hasher.update(before);
    hasher.update(address);
    hasher.finalize()
}

/// Appends a frame with this value to `bytes`, the first of which is at offset `origin` of the
/// file.
pub(super) fn push_frame(bytes: &mut Vec<u8>, origin: u64, value: &impl Serialize) {
    let offset = origin + bytes.len() as u64;
    let contents = encode(value);
    let len = u32::try_from(contents.len()).expect("no value has 4 GiB");
    bytes.extend(len.to_le_bytes());
    bytes.extend(frame_checksum(offset, len, &contents).to_le_bytes());
    bytes.extend(contents);
}

/// The value of the frame at an offset of a file, and where the frame ends; `None` if there is no
/// whole and sound frame of such a value.
pub(super) fn read_frame<T: DeserializeOwned>(bytes: &[u8], offset: usize) -> Option<(T, usize)> {
    let (len, checksum) = (number(bytes, offset)?, number(bytes, offset + 4)?);
    let start = offset + FRAME_HEADER_LEN;
    let end = start.checked_add(len as usize)?;
    let contents = bytes.get(start..end)?;
    if frame_checksum(offset as u64, len, contents) != checksum {
        return None;
    }
    Some((decode(contents).ok()?, end))
}

/// The checksum of a frame.
fn frame_checksum(offset: u64, len: u32, contents: &[u8]) -> u32 {
    let mut hasher = Hasher::new();
    hasher.update(&offset.to_le_bytes());
    hasher.update(&len.to_le_bytes());
    hasher.update(contents);
    hasher.finalize()
}

/// The number at an offset.
fn number(bytes: &[u8], offset: usize) -> Option<u32> {
    bytes.get(offset..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address() -> SocketAddr {
        "10.0.0.1:7001".parse().unwrap()
    }

    #[test]
    fn any_flipped_bit_of_a_header_is_noticed() {
        let bytes = header(Kind::Log, address());
        assert_eq!(read_header(Kind::Log, &bytes), Ok((address(), bytes.len())));
        for bit in 0..bytes.len() * 8 {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(read_header(Kind::Log, &bytes), Err(HeaderError::Corrupt), "bit {bit}");
        }
        for len in 0..bytes.len() {
            assert_eq!(read_header(Kind::Log, &bytes[..len]), Err(HeaderError::Corrupt));
        }
    }

    #[test]
    fn other_formats_and_other_kinds_are_told_apart() {
        for version in [FORMAT_VERSION - 1, FORMAT_VERSION + 1] {
            let other = header_of_version(Kind::Log, version, address());
            assert_eq!(read_header(Kind::Log, &other), Err(HeaderError::OtherVersion(version)));
        }
        let other = header(Kind::Snapshot, address());
        assert_eq!(read_header(Kind::Log, &other), Err(HeaderError::Corrupt));
    }

    #[test]
    fn any_flipped_bit_of_a_frame_is_noticed() {
        let mut bytes = vec![9; 5];
        push_frame(&mut bytes, 0, &("value", 300_u64));
        assert_eq!(read_frame(&bytes, 5), Some((("value".to_string(), 300_u64), bytes.len())));
        for bit in 5 * 8..bytes.len() * 8 {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(read_frame::<(String, u64)>(&bytes, 5), None, "bit {bit}");
        }
    }

    #[test]
    fn a_frame_is_one_only_where_it_was_written() {
        let mut bytes = Vec::new();
        push_frame(&mut bytes, 100, &7_u64);
        let mut file = vec![0; 100];
        file.extend(&bytes);
        assert_eq!(read_frame(&file, 100), Some((7_u64, file.len())));
        assert_eq!(read_frame::<u64>(&bytes, 0), None);
    }
}
