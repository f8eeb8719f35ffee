//! The grading tests of the primary/backup service.

mod storage;
