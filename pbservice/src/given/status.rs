//! What a server says of itself, to everybody; and why it says nothing.

use std::fmt;
use std::net::SocketAddr;

use labrpc::{ClientEnd, RpcError};
use serde::{Deserialize, Serialize};

use crate::given::version::{Epoch, Version};

/// What a server says of itself. Used by the grading tests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Its address.
    pub address: SocketAddr,
    /// The highest epoch that it has promised.
    pub epoch: Epoch,
    /// The version of its log; `None` if its log is damaged.
    pub version: Option<Version>,
    /// The primary, as far as it knows; itself if it is that.
    pub primary: Option<SocketAddr>,
    /// Whether it is primary, as far as it knows.
    pub is_primary: bool,
    /// The last record that it knows to be committed.
    pub committed: Version,
}

impl Status {
    /// Asks a server.
    ///
    /// # Errors
    /// If it does not answer.
    pub fn ask(server: &ClientEnd) -> Result<Self, RpcError> {
        server.call("Pb.Status", &())
    }
}

/// A line of `pbservice status`.
impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Status { address, epoch, version, primary, is_primary, .. } = self;
        let version = version.map_or("damaged".to_string(), |version| version.to_string());
        let primary = primary.map_or("none".to_string(), |primary| primary.to_string());
        write!(
            f,
            "address={address} up=true epoch={epoch} version={version} primary={primary} \
             is_primary={is_primary}"
        )
    }
}

/// Why a server does not answer another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Unheard {
    /// It was killed, or its disk has failed.
    OutOfService,
    /// It has another list of servers.
    OtherServers,
    /// Its messages are of another version.
    OtherVersion,
}
