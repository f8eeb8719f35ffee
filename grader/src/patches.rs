//! Patches against the reference: mistakes that tests must catch, and solutions that they must
//! accept.
//!
//! A [`session`] patches a copy of the workspace, the [`scratch`] tree, and builds the lab's tests
//! there. A [`sweep`] runs a test with many seeds. A [`report`] lists the result of each patch, and
//! whether a reader of its failure would find the [`cause`].

pub(crate) mod bugs;
mod cause;
mod markdown;
pub(crate) mod patch;
mod report;
mod scratch;
mod session;
mod sweep;
pub(crate) mod variants;
