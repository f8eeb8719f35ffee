//! The grading tests of lab 4A: those of the course under their names, and ours.
//!
//! The clerks of these tests check every answer to a query ([`clerk`]), and at the end of most
//! tests the whole history is read again, and every [step](step) of it must be what one request
//! does.

mod balance_4a;
mod basic_4a;
mod clerk;
mod cluster;
mod crowd;
mod faults_4a;
mod multi_4a;
mod step;
