//! The grader as a program: what it prints, how it ends, and what it leaves behind.

mod bugs;
mod fixture;
mod interrupt;
mod outputs;
mod usage;
mod variants;
