//! The grading tests of lab 4A: those of the course under their names, and ours.
