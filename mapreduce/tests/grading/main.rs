//! The grading tests of lab 1, on real processes. Each test has its own directory and socket, so
//! they run in parallel. What they demand is in the MapReduce paper or in the assignment; what else
//! the reference promises is in `tests/robustness`.

mod corpus;
mod crash_1;
mod exit_1;
mod job;
mod late_1;
mod oracle;
mod output_1;
mod parallel_1;
mod restart_1;
mod split_1;
