//! Decides whether a history of a concurrent object is *linearizable*, and shows why not.
//!
//! ```
//! use linearizability::{CheckResult, KvInput, KvModel, KvOutput, Limits, Operation, check, explain};
//!
//! // C0  |-append(k, "a")-|
//! // C1          |-get(k) -> "a"-|
//! let append = Operation::completed(0, KvInput::append("k", "a"), KvOutput::Done, 0, 20);
//! let get = Operation::completed(1, KvInput::get("k"), KvOutput::value("a"), 10, 30);
//! let history = [append.clone(), get];
//! assert_eq!(check(&KvModel, &history, &Limits::default()), CheckResult::Ok);
//!
//! // Here the get is called after the append has returned, and does not see it.
//! let get = Operation::completed(1, KvInput::get("k"), KvOutput::value(""), 30, 40);
//! let report = explain(&KvModel, &[append, get], &Limits::default());
//! assert_eq!(report.result(), CheckResult::Illegal);
//! let window = report.window().expect("an illegal history has a window");
//! assert_eq!(
//!     window.picture,
//!     "C0  |-append(k, \"a\")-|\n\
//!      C1                      |-get(k) -> \"\"-|\n",
//! );
//! ```
//!
//! # Terms
//!
//! A *history* is what clients observed: their calls, the answers, and the times of both.
//!
//! ```text
//! C0  |-append(k, "a")-|      |-get(k) -> "ab"-|
//! C1        |-append(k, "b")- ...
//! C2             |-get(k) -> "a"-|
//!     ------------------------------------------> time
//! ```
//!
//! Each [`Operation`] has an *interval* from its call to its return; a *pending* one has no end.
//! The history is linearizable (Herlihy & Wing 1990) if one can choose a moment within each
//! interval such that an object that executes every operation at its moment, one at a time, gives
//! the same answers. The order of these moments is a *linearization*: above, append
//! "a", get "a", append "b", get "ab". A pending operation may have its moment at any time after
//! its call, or none at all. Intervals are closed: operations that touch may come in either order.
//!
//! A [`Model`], the *sequential specification*, defines the answers of the object. This crate has
//! two models, [`KvModel`] and [`CasRegister`].
//!
//! A [`CheckResult`] has three values, because deciding linearizability is NP-complete and the search
//! stops at [`Limits`]. Except for the time limit, the limits are counts, so a result is
//! reproducible.
//!
//! # How it works
//!
//! The search is Wing & Gong's (1993) with Lowe's cache of visited configurations (2017). The
//! declarations of a model make it faster: see [`Kind`] and [`Model::reachable`]. A history is
//! first split into the independent parts of the object, for example keys, which are checked one by
//! one (locality, or P-compositionality: Horn & Kroening 2015). The parts take turns, so that a
//! part that is easy to refute ends the check early.
//!
//! | file | contents |
//! |---|---|
//! | `operation`, `model`, `limits`, `check_result` | the types of the interface |
//! | `kv`, `cas_register` | the two models |
//! | `check` | partitions and their turns; `budget` and `memory` count what they use |
//! | `search` | the search; begin reading here |
//! | `timeline` | which operations can be linearized when |
//! | `states` | the model with numbered states and cached steps; `interner` assigns the numbers |
//! | `slot_set` | which of the live operations are linearized |
//! | `window` | a smallest illegal window; `ambient` are the operations left out of it |
//! | `picture` | histories in ASCII |
//! | [`history_file`] | recorded histories, for tests and the example `check` |
//!
//! # What is left out
//!
//! * Threads: a check is one sequence of steps, the same every time.
//! * Nondeterministic objects, and unknown answers that restrict later ones: a step has one outcome
//!   for its input and output.
//! * The near-linear algorithms that exist for some objects if no value is written twice
//!   (Gibbons & Korach 1997 and later).
//! * The order of writes that can be inferred if no value is written twice. Many clients with few
//!   reads, most of them overwriting each other, can exhaust the limits.
//! * Sharing between long values: a state is a whole value, so 10 000 appends to one key without a
//!   put need more memory than [`Limits::default`] allows.

#[cfg(test)]
extern crate self as linearizability; // What tests share names it so.

mod ambient;
mod budget;
mod cas_register;
mod check;
mod check_result;
pub mod history_file;
mod interner;
mod kv;
mod limits;
mod memory;
mod model;
mod operation;
mod picture;
mod search;
mod slot_set;
mod states;
mod timeline;
mod window;

pub use cas_register::{CasRegister, RegisterInput, RegisterOutput};
pub use check::{check, explain};
pub use check_result::{CheckResult, PartitionReport, Report};
pub use kv::{KvInput, KvModel, KvOutput};
pub use limits::{Limit, Limits};
pub use model::{Kind, Model};
pub use operation::Operation;
pub use window::Window;
