//! Why a server cannot use its data.

use std::fmt;
use std::io;
use std::net::SocketAddr;

/// Why a server's data cannot be used, or be used any longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StorageError {
    /// At start: the directory is another server's.
    OtherServer {
        /// The file that says so.
        file: String,
        /// Whose it is.
        owner: SocketAddr,
        /// Who wanted to use it.
        server: SocketAddr,
    },
    /// At start: a newer program has written the directory.
    NewerFormat {
        /// The file that says so.
        file: String,
        /// The version of its format.
        found: u32,
        /// The newest version that this program knows.
        known: u32,
    },
    /// At start: the epoch that the server has promised is missing or corrupt, in both copies. If
    /// it took part in elections again, it might help to elect two primaries. The others go on
    /// without it. An empty server in its place would be no better: it does not know what this one
    /// has acknowledged, and would count for a majority.
    PromiseLost,
    /// The disk has failed. The server must stop.
    Disk {
        /// What was tried.
        operation: &'static str,
        /// With which file.
        file: String,
        /// What the disk says.
        cause: String,
    },
}

impl StorageError {
    /// A failure of the disk.
    pub(super) fn disk(operation: &'static str, file: &str, error: &io::Error) -> Self {
        Self::Disk { operation, file: file.to_string(), cause: error.to_string() }
    }
}

impl fmt::Display for StorageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherServer { file, owner, server } => {
                write!(f, "the file {file:?} belongs to the server {owner}, not to {server}")
            }
            Self::NewerFormat { file, found, known } => write!(
                f,
                "the file {file:?} has format version {found}, and this program knows them up to \
                 {known}"
            ),
            Self::PromiseLost => write!(
                f,
                "the file \"promise\" is missing or corrupt: what this server has promised is lost, so it \
                 must not take part any more; the other servers go on without it"
            ),
            Self::Disk { operation, file, cause } => {
                write!(f, "cannot {operation} the file {file:?}: {cause}")
            }
        }
    }
}

impl std::error::Error for StorageError {}
