//! Messages as bytes on a connection. Pure: bytes in, frames out.
//!
//! ```text
//! "LRPC" | length: u32 | kind: u8 | call: u64 | body, length bytes       (little-endian)
//!
//! kind 1, request   length of the method's name: u16 | name, UTF-8 | arguments
//! kind 2, reply     reply
//! kind 3, error     code: u8
//! ```

use std::fmt;

use crate::error::RpcError;

/// What every frame begins with, so that foreign bytes are known by their first.
const MAGIC: [u8; 4] = *b"LRPC";

/// Length of what precedes the body.
pub(crate) const HEADER: usize = 17;

/// Codes of the errors that a server can answer with.
const ERRORS: [(u8, RpcError); 4] = [
    (1, RpcError::NoSuchMethod),
    (2, RpcError::Unreadable),
    (3, RpcError::Panicked),
    (4, RpcError::TooLarge),
];

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// The caller's number for the call; the reply carries it too.
    pub(crate) call: u64,
    /// What it says.
    pub(crate) body: Body,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// A call.
    Request {
        /// `Service.Method`.
        method: String,
        /// The encoded arguments.
        args: Vec<u8>,
    },
    /// The answer to a call: the encoded reply, or why there is none.
    Reply(Result<Vec<u8>, RpcError>),
}

/// Bytes that are not a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrameError {
    /// They do not begin as a frame does.
    Foreign,
    /// The body is longer than is allowed.
    TooLong { length: usize, max: usize },
    /// There is no such kind of frame.
    UnknownKind(u8),
    /// The method's name is cut off, or is not text.
    BadMethod,
    /// There is no such error.
    BadCode,
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FrameError::Foreign => f.write_str("bytes of another protocol"),
            FrameError::TooLong { length, max } => {
                write!(f, "a message of {length} bytes; at most {max} are allowed")
            }
            FrameError::UnknownKind(kind) => write!(f, "a message of unknown kind {kind}"),
            FrameError::BadMethod => f.write_str("a request without a readable method name"),
            FrameError::BadCode => f.write_str("an error reply with an unknown code"),
        }
    }
}

impl Frame {
    /// Its bytes. A reply, which may be long, is moved and not copied.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        let (kind, mut bytes) = match self.body {
            Body::Request { method, args } => {
                let length = u16::try_from(method.len()).expect("checked by the caller");
                (1, [&length.to_le_bytes(), method.as_bytes(), &args].concat())
            }
            Body::Reply(Ok(reply)) => (2, reply),
            Body::Reply(Err(error)) => {
                let code = ERRORS.iter().find(|(_, known)| *known == error);
                (3, vec![code.expect("a server answers with these errors only").0])
            }
        };
        let length = u32::try_from(bytes.len()).expect("checked by the caller");
        let mut header = [0; HEADER];
        header[0..4].copy_from_slice(&MAGIC);
        header[4..8].copy_from_slice(&length.to_le_bytes());
        header[8] = kind;
        header[9..17].copy_from_slice(&self.call.to_le_bytes());
        bytes.reserve_exact(HEADER);
        bytes.splice(0..0, header);
        bytes
    }

    /// The frame at the start of `bytes` and its length; `None` if more bytes are needed to tell.
    pub(crate) fn decode(
        bytes: &[u8],
        max_message: usize,
    ) -> Result<Option<(Frame, usize)>, FrameError> {
        if bytes.iter().zip(MAGIC).any(|(byte, expected)| *byte != expected) {
            return Err(FrameError::Foreign);
        }
        let Some((header, rest)) = bytes.split_first_chunk::<HEADER>() else { return Ok(None) };
        let [_, _, _, _, l0, l1, l2, l3, kind, call @ ..] = *header;
        let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
        if length > max_message {
            return Err(FrameError::TooLong { length, max: max_message });
        }
        if !matches!(kind, 1..=3) {
            return Err(FrameError::UnknownKind(kind));
        }
        let Some(body) = rest.get(..length) else { return Ok(None) };
        let body = match kind {
            1 => decode_request(body).ok_or(FrameError::BadMethod)?,
            2 => Body::Reply(Ok(body.to_vec())),
            _ => Body::Reply(Err(decode_error(body).ok_or(FrameError::BadCode)?)),
        };
        Ok(Some((Frame { call: u64::from_le_bytes(call), body }, HEADER + length)))
    }
}

fn decode_request(body: &[u8]) -> Option<Body> {
    let (length, rest) = body.split_first_chunk::<2>()?;
    let (method, args) = rest.split_at_checked(u16::from_le_bytes(*length).into())?;
    let method = String::from_utf8(method.to_vec()).ok()?;
    Some(Body::Request { method, args: args.to_vec() })
}

/// The body of an error reply.
fn decode_error(body: &[u8]) -> Option<RpcError> {
    let &[code] = body else { return None };
    ERRORS.iter().find(|(known, _)| *known == code).map(|(_, error)| *error)
}

#[cfg(test)]
mod tests;
