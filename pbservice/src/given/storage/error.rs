//! Why a server cannot use its data.

use std::collections::BTreeSet;
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
        /// The server that has written it.
        owner: SocketAddr,
        /// The server that wanted to use it.
        server: SocketAddr,
    },
    /// At start: the server was started with another list of servers before. Two servers that mean
    /// different majorities would each acknowledge what the other one does not know.
    OtherServers {
        /// The file that says so.
        file: String,
        /// The list that it knows.
        known: BTreeSet<SocketAddr>,
        /// The list that it was given.
        given: BTreeSet<SocketAddr>,
    },
    /// At start: the server is said to be new, but its directory holds files of a server.
    NotNew {
        /// One of them.
        file: String,
    },
    /// At start: the directory was written by a program with another format.
    OtherFormat {
        /// The file that says so.
        file: String,
        /// The version of its format.
        found: u32,
        /// The version that this program knows.
        known: u32,
    },
    /// At start: the epoch that the server has promised is missing or corrupt, in both copies. If
    /// it took part in elections again, it might help to elect two primaries. The others go on
    /// without it. In an empty directory it is repaired by them.
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
            Self::OtherServers { file, known, given } => write!(
                f,
                "the file {file:?} says that the servers are {}, not {}: the list of servers must \
                 not change",
                list(known),
                list(given)
            ),
            Self::NotNew { file } => {
                write!(f, "a new server needs an empty directory, and there is a file {file:?}")
            }
            Self::OtherFormat { file, found, known } => write!(
                f,
                "the file {file:?} has format version {found}, and this program knows version \
                 {known} only"
            ),
            Self::PromiseLost => write!(
                f,
                "the file \"promise\" is missing or corrupt: what this server has promised is \
                 lost; if the directory is emptied, the other servers repair it"
            ),
            Self::Disk { operation, file, cause } => {
                write!(f, "cannot {operation} the file {file:?}: {cause}")
            }
        }
    }
}

/// Addresses with commas between them.
fn list(servers: &BTreeSet<SocketAddr>) -> String {
    servers.iter().map(SocketAddr::to_string).collect::<Vec<_>>().join(",")
}

impl std::error::Error for StorageError {}
