//! Patches against the reference: mistakes that tests must catch, and solutions that they must
//! accept.
//!
//! A [`session`] patches a copy of the workspace, the [`scratch`] tree, and has the lab's tests
//! built there; a [`sweep`] runs a test under many seeds; a [`report`] says what became of each
//! patch.

pub(crate) mod bugs;
mod markdown;
mod patch;
mod report;
mod scratch;
mod session;
mod sweep;
pub(crate) mod variants;
