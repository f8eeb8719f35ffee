//! The grading tests of the primary/backup service.

mod cluster;
mod service;
