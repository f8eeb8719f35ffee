//! The messages: what servers say to each other. Those of clients are in `given/clerk.rs`.
//!
//! All types that are sent need serde's two derives, and so do the types of their fields. A server
//! that answers may have learned more than the one that asked, so most replies should say in which
//! epoch they were given.

use serde::{Deserialize, Serialize};

/// From a backup to its primary: are you alive?
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PingArgs {
    // PB1: your fields here. A primary can learn from a ping what the backup lacks.
}

/// The reply to a ping.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PingReply {
    // PB1: your fields here. That there is a reply does not make its sender primary.
}

/// From a server without a primary to all others: what do you know?
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CheckArgs {
    // PB1: your fields here.
}

/// The reply to a check.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CheckReply {
    // PB1: your fields here. The lecture sends the address and the version. If you add what this
    // server has heard of the primary: how old is that when others hear of it?
}

/// From the server that the rule names to all others: will you follow me?
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PromiseArgs {
    // PB2: your fields here.
}

/// The reply to that.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PromiseReply {
    // PB2: your fields here.
}

/// From the primary to a backup: records, and how far they are done.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CopyArgs {
    // PB1: your fields here. PB2: what shows that both logs are the same before these records?
}

/// The reply to that.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CopyReply {
    // PB1: your fields here; it may also become an enum. PB2: what must a primary know to send
    // records that fit?
}

/// From the primary to a backup: a snapshot.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InstallArgs {
    // PB3: your fields here.
}

/// The reply to that.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InstallReply {
    // PB3: your fields here.
}
