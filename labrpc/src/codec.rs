//! Values to bytes and back: messages, and what a server persists.
//!
//! The only file that knows the format (bincode 2: little-endian, variable-length integers, no
//! field names). Every field is written, and decoding always makes a fresh value, so neither of the
//! two mistakes that the course's `labgob` warns about can happen.

use std::fmt;

use bincode::config::{self, Config, Configuration, Limit, LittleEndian, Varint};
use serde::Serialize;
use serde::de::DeserializeOwned;

const FORMAT: Configuration = config::standard();

/// The format of bytes that another program has sent. They may claim any length, so the memory for
/// a value is limited: to what the longest message can need at most.
const FOREIGN: Configuration<LittleEndian, Varint, Limit<{ 512 << 20 }>> =
    config::standard().with_limit::<{ 512 << 20 }>();

/// Room for a message of the usual length, so that few buffers grow while they are filled.
const USUAL_LENGTH: usize = 128;

/// Bytes that do not encode a value of the wanted type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// The wanted type.
    type_name: &'static str,
    /// What is wrong.
    problem: String,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot decode a {}: {}", self.type_name, self.problem)
    }
}

impl std::error::Error for DecodeError {}

/// The bytes of a value.
///
/// ```
/// let bytes = labrpc::encode(&("x", 1_u64));
/// assert_eq!(labrpc::decode::<(String, u64)>(&bytes), Ok(("x".to_string(), 1)));
/// ```
///
/// # Panics
/// If the type's `Serialize` refuses: a map whose length it does not know, for instance.
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(USUAL_LENGTH);
    match bincode::serde::encode_into_std_write(value, &mut bytes, FORMAT) {
        Ok(_) => bytes,
        Err(error) => panic!("a {} cannot be encoded: {error}", std::any::type_name::<T>()),
    }
}

/// The value of some bytes, all of which must belong to it.
///
/// # Errors
/// If the bytes are not what [`encode`] makes of such a value.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    decode_as(bytes, FORMAT)
}

/// As [`decode`], for bytes that may have been made in order to exhaust our memory.
pub(crate) fn decode_foreign<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    decode_as(bytes, FOREIGN)
}

/// The value of some bytes in this format.
fn decode_as<T: DeserializeOwned>(bytes: &[u8], format: impl Config) -> Result<T, DecodeError> {
    let error = |problem| DecodeError { type_name: std::any::type_name::<T>(), problem };
    match bincode::serde::decode_from_slice(bytes, format) {
        Ok((value, used)) if used == bytes.len() => Ok(value),
        Ok((_, used)) => Err(error(format!("{} bytes are left over", bytes.len() - used))),
        Err(problem) => Err(error(problem.to_string())),
    }
}
