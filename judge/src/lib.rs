//! Runs a lab's tests as processes and judges them.
//!
//! "Run these tests under these seeds with these limits in this tree, and tell me each result as it
//! comes": this crate does that for `cargo lab` and `cargo grader`, and knows nothing of command
//! lines and terminals. It links no lab, so a lab that does not compile costs only itself.
//!
//! ```no_run
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use judge::{Builder, Judge, Limits, Output, Stop, TestCase, Workspace, pool};
//!
//! fn main() -> Result<(), judge::Error> {
//!     if judge::launcher_main().is_some() {
//!         return Ok(()); // This process was started by a judge, to watch over one run.
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
//!     };
//!     let lab = catalog.lab("raft").expect("there is a lab of this name");
//!     let build = builder.build(lab)?.expect("it compiles");
//!     let cases = TestCase::all(lab, &Arc::new(build));
//!     let limits = Limits { wall: Duration::from_secs(300), cpu: None, output: 64 << 20 };
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
//! | [`catalog`] | reads `labs.toml`: every test, and what it is worth |
//! | [`build`] | has cargo build a lab's tests, and keeps a copy that no later build changes |
//! | [`pool`] | does several jobs at a time |
//! | [`judge`](mod@judge) | runs one test under one seed |
//! | [`process`], [`launch`], [`streams`] | a process, the launcher that stands between it and us, what both say |
//! | [`verdict`] | decides what a run proves; see [`contract`] for why only its record counts |

mod build;
pub mod catalog;
mod error;
mod judge;
mod launch;
pub mod pool;
mod process;
mod stop;
mod streams;
mod test_case;
mod verdict;
mod workspace;

pub use crate::build::{Build, Builder};
pub use crate::catalog::Catalog;
pub use crate::error::Error;
pub use crate::judge::{Judge, Output, Wrap};
pub use crate::launch::launcher_main;
pub use crate::process::Limits;
pub use crate::stop::Stop;
pub use crate::test_case::TestCase;
pub use crate::workspace::{Workspace, output_of};
