//! Runs `cargo lab` as a person does, in small workspaces, and checks output and exit codes.

#![allow(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]

mod commands;
mod fixture;
mod logs;
mod replay;
mod show;
mod shrink;
mod stress;
mod submission;
mod trouble;
