//! Runs a lab's tests as processes and judges them.
//!
//! This crate builds the tests of a tree, runs them with given seeds and limits, and reports each
//! result as soon as it is known. `cargo lab` and `cargo grader` use it. It does not depend on a
//! command line or a terminal, and it links no lab, so a lab that does not compile does not affect
//! the others.
//!
//! ```no_run
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use judge::{Builder, Judge, Limits, Output, Stop, TestCase, Workspace, pool};
//!
//! fn main() -> Result<(), judge::Error> {
//!     if judge::launcher_main().is_some() {
//!         return Ok(()); // A judge has started this process to supervise one run.
//!     }
//!     let (workspace, stop) = (Workspace::find()?, Stop::on_signals()?);
//!     let catalog = workspace.catalog()?;
//!     let builder = Builder {
//!         tree: workspace.root(),
//!         target: None,
//!         release: false,
//!         debug: true,
//!         shown: true,
//!         builds: &workspace.root().join("lab-runs/builds"),
//!         stop: &stop,
//!         sandbox: None,
//!     };
//!     let lab = catalog.lab("raft").expect("the catalog has this lab");
//!     let build = builder.build(lab)?.expect("it compiles");
//!     let cases = TestCase::all(lab, &Arc::new(build));
//!     let wall = Duration::from_secs(300);
//!     let limits = Limits { wall, cpu: None, output: 64 << 20, resources: Default::default() };
//!     let judge = Judge::new(limits, stop)?;
//!     let jobs = cases.iter().flat_map(|case| (1..=20).map(move |seed| (case, seed)));
//!     let policy = "stall".parse().ok();
//!     pool::run(
//!         jobs,
//!         pool::processors(),
//!         judge.stop(),
//!         |(case, seed)| judge.run(case, seed, policy, &Output::Dropped),
//!         |run| {
//!             println!("{} {}: {}", run.test, run.seed_and_policy(), run.verdict.word());
//!             Ok(())
//!         },
//!     )?;
//!     Ok(())
//! }
//! ```
//!
//! # From a job to its verdict
//!
//! | module | what it does |
//! |---|---|
//! | [`catalog`] | reads `labs.toml`: every test with its points |
//! | [`build`], [`messages`], [`listing`], [`sandbox`], [`space`] | builds a lab's tests with cargo, and makes a copy that no later build changes |
//! | [`pool`] | runs several jobs at a time |
//! | [`judge`](mod@judge) | runs one test with one seed |
//! | [`process`], [`launch`], [`streams`], [`recorded`] | the process of a run, the launcher between judge and run, and what they write |
//! | [`usage`] | what the processes of a run use, and its limits |
//! | [`shrink`] | finds the few accidents that make a run fail |
//! | [`verdict`], [`no_record`] | judges a run; see [`contract`] for why only its record counts |

mod build;
pub mod catalog;
mod error;
mod judge;
mod kept;
mod launch;
mod listing;
mod messages;
mod no_record;
pub mod pool;
mod process;
mod recorded;
mod sandbox;
mod shard;
pub mod shrink;
mod space;
mod stop;
mod streams;
mod test_case;
mod usage;
mod verdict;
mod workspace;

pub use crate::build::{Build, Builder};
pub use crate::catalog::Catalog;
pub use crate::error::Error;
pub use crate::judge::{Judge, Output};
pub use crate::launch::{launcher_main, launcher_main_with};
pub use crate::process::{Limits, Wrap};
pub use crate::sandbox::Sandbox;
pub use crate::shard::Shard;
pub use crate::stop::Stop;
pub use crate::test_case::TestCase;
pub use crate::usage::Resources;
pub use crate::workspace::{Workspace, cargo, output_of, with_labs_below};
