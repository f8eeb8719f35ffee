//! The grading tests of lab 1, on real processes. Each test has its own directory and socket, so
//! they run in parallel.

mod corpus;
mod crash_1;
mod exit_1;
mod failure_1;
mod interrupt_1;
mod job;
mod oracle;
mod output_1;
mod parallel_1;
mod split_1;
mod usage_1;
