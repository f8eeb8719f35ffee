//! What a confined command may do.

use std::fmt;
use std::path::PathBuf;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// The rules for a command. The grader makes them, and the command's launcher enforces them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Rules {
    pub(crate) level: Level,
    /// The user and group that runs it, if the grader is root.
    pub(crate) user: Option<u32>,
    /// Files and directories that it may read and execute; those that do not exist are ignored.
    pub(crate) read: Vec<PathBuf>,
    /// Directories that it may also write to, besides its directory for temporary files.
    pub(crate) write: Vec<PathBuf>,
    /// Where the directory for temporary files is made if the system grants no private `/tmp`.
    pub(crate) scratch: PathBuf,
    /// Bytes of temporary files.
    pub(crate) scratch_bytes: u64,
}

/// What keeps a command from the rest of the machine. The order is that of the strength.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ValueEnum)]
pub(crate) enum Level {
    /// Nothing but the limits.
    None,
    /// Landlock: only listed files, no TCP, and no signals to other processes.
    Landlock,
    /// Also a network with nothing but loopback, private shared memory, and a private `/tmp`.
    Network,
    /// Also process ids of its own: it sees no other process.
    Processes,
}

impl Level {
    /// All levels, the strongest first.
    pub(crate) const ALL: [Level; 4] =
        [Level::Processes, Level::Network, Level::Landlock, Level::None];
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Level::None => "none",
            Level::Landlock => "Landlock only",
            Level::Network => "Landlock, network namespace, private /tmp",
            Level::Processes => "Landlock, network and process namespaces, private /tmp",
        })
    }
}
