//! Holds the benches of the course: `cargo bench -p benches`.
//!
//! They are a crate of their own so that `cargo test` in a lab never builds criterion.
