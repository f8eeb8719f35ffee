//! The commands, a file for each.

pub(crate) mod explain;
pub(crate) mod lint;
pub(crate) mod list;
pub(crate) mod logs;
pub(crate) mod merge;
pub(crate) mod pack;
pub(crate) mod replay;
pub(crate) mod show;
pub(crate) mod shrink;
pub(crate) mod stress;
pub(crate) mod test;
