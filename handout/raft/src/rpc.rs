//! What servers say to each other: arguments and replies of the three RPCs.
//!
//! All types that are sent need serde's two derives, and so do the types of their fields.

use serde::{Deserialize, Serialize};

/// The arguments of RequestVote.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RequestVoteArgs {
    // 2A: your fields here, see Figure 2.
}

/// The reply to RequestVote.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RequestVoteReply {
    // 2A: your fields here, see Figure 2.
}

/// The arguments of AppendEntries.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AppendEntriesArgs {
    // 2A: what a heartbeat needs. 2B: the rest, see Figure 2.
}

/// The reply to AppendEntries.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AppendEntriesReply {
    // 2A: what a heartbeat needs. 2B and 2C: the rest, see Figure 2 and the end of §5.3.
}

/// The arguments of InstallSnapshot. A snapshot is sent in one piece, without offsets.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InstallSnapshotArgs {
    // 2D: your fields here, see Figure 13.
}

/// The reply to InstallSnapshot.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InstallSnapshotReply {
    // 2D: your fields here, see Figure 13.
}
