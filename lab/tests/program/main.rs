//! Runs `cargo lab` as a person does, in small workspaces, and checks output and exit codes.

mod commands;
mod fixture;
mod logs;
mod replay;
mod stress;
mod trouble;
