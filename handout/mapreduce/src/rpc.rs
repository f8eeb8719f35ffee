//! What workers and the coordinator say to each other.
//!
//! All types that are sent need serde's two derives, and so do the types of their fields: `Split`
//! and `JobId` have them.

use serde::{Deserialize, Serialize};

/// From a worker: I am idle.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ask {
    // Your fields here. The coordinator should notice a worker of an earlier job, and one that runs
    // another app.
}

/// The reply: what to do now.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Assignment {
    /// Nothing is idle at the moment: ask again.
    Wait,
    // The other cases. A variant can have fields: what a map task and a reduce task need is not the
    // same.
}

/// From a worker: a task has ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    // Your fields here. Which task, and which files? A task may have failed, and a report may come
    // from a worker that was given up, or twice.
}

/// The reply to a report.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReportReply {
    // Your fields here, if the worker has to know something.
}
