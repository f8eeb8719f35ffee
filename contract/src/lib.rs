//! The contract between a test run and the program that judges it.
//!
//! A run is one test with one seed, in a separate process. Three modules define what the process and
//! its judge must agree on:
//!
//! * [`settings`]: the environment variables that configure a run, and the names of the policies.
//! * [`record`](mod@record): the messages between judge and process, and what commands derive from
//!   them: verdicts, statistics, exit codes.
//! * [`accidents`]: what a run in the keyed mode may meet, by which a failing run is made smaller.
//!
//! Another one, [`recording`], defines the events from which a run is drawn; nothing is judged by
//! them. [`story`] is what a run tells of its failure in a few lines, and [`property`] has the words for
//! what every program must do. labrpc uses only [`settings`], [`accidents`] and [`recording`].
//!
//! # How a run is judged
//!
//! Student code runs inside the process, so its exit code, its output and the files that it can
//! open prove nothing. The judge therefore passes one end of a Unix socket pair as standard input
//! and sets [`settings::JUDGED`]. Before student code runs, the harness moves the socket to another
//! descriptor, replaces standard input with `/dev/null`, and reads the [`Assignment`]. At the end
//! of the test, the harness sends one [`Record`] and exits at once, so no hook, thread or
//! destructor in the student's code runs afterwards. Unlike a pipe or a file, a socket cannot be
//! reopened through `/dev/fd`.
//!
//! ```
//! use contract::record::{Assignment, Record, Run, Verdict};
//!
//! // The judge's side.
//! let assignment = Assignment::new("initial_election_2a", 7741, "stall".parse().ok());
//! let sent = assignment.to_line();
//!
//! // The process's side.
//! let received = Assignment::from_line(&sent).expect("a judge of this version");
//! let run = Run::new("raft", "2A", "initial_election_2a", received.seed, received.policy);
//! let record = Record::new(received.nonce, Run { verdict: Verdict::Pass, ..run }).to_line();
//!
//! // The judge's side again.
//! let run = assignment.check(&record).expect("it is the answer to this assignment");
//! assert_eq!(run.verdict, Verdict::Pass);
//! ```
//!
//! [`Assignment`]: record::Assignment
//! [`Record`]: record::Record

pub mod accidents;
pub mod property;
#[cfg(feature = "record")]
pub mod record;
pub mod recording;
pub mod settings;
pub mod story;
