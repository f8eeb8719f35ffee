//! The contract between a test run and the program that judges it.
//!
//! A run is one test under one seed, in a process of its own. Two modules say all that the process
//! and its judge have to agree on:
//!
//! * [`settings`]: the environment variables by which a person asks for a run, and the names of the
//!   policies. It is all that labrpc uses.
//! * [`record`](mod@record): what a judge tells the process, what the process answers, and what
//!   commands make of it: verdicts, statistics, exit codes.
//!
//! # How a run is judged
//!
//! Student code runs inside the process, so neither its exit code nor its output nor a file that it
//! can open proves anything. The judge therefore passes one end of a Unix socket pair as standard
//! input and sets [`settings::JUDGED`]. Before student code runs, the harness moves the socket to
//! another descriptor, puts `/dev/null` in its place, and reads the [`Assignment`]. When the test
//! is over, it sends one [`Record`] and ends the process at once, so that no hook, thread or
//! destructor of the student's runs afterwards. Unlike a pipe or a file, a socket cannot be opened
//! again through `/dev/fd`.
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

#[cfg(feature = "record")]
pub mod record;
pub mod settings;
