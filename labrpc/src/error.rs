//! How a call can fail.

use std::fmt;

/// Why a call returned no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RpcError {
    /// No reply came: the request or the reply was lost, or the server is dead or cannot be
    /// reached. Whether the handler ran cannot be known.
    Lost,
}

impl fmt::Display for RpcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RpcError::Lost => f.write_str("no reply came"),
        }
    }
}

impl std::error::Error for RpcError {}
