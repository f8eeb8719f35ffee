//! MapReduce

pub mod apps;
pub mod command;
pub mod sequential;

mod app;
mod coordinator;
mod emitter;
mod files;
mod groups;
mod merge;
mod partition;
mod rpc;
mod run_file;
mod split;
mod values;
mod worker;

pub use crate::app::{App, Combiner};
pub use crate::coordinator::{Coordinator, GivenUp, Progress, TASK_TIMEOUT};
pub use crate::emitter::Emitter;
pub use crate::split::{DEFAULT_SPLIT_SIZE, Split, cut};
pub use crate::values::Values;
pub use crate::worker::{Left, Worker};
