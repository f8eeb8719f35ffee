//! How a test starts the program again that it is part of.

use std::env::{self, consts::ARCH};
use std::process::Command;

/// This program, as a command that lacks its arguments.
///
/// Cargo may have been told to run programs for this processor by an emulator, which then has to
/// run this one too: the system may be unable to run it by itself.
pub fn command() -> Command {
    let program = env::current_exe().expect("a running program has a path");
    let Some(runner) = runner() else { return Command::new(program) };
    let mut words = runner.split_whitespace();
    let mut command = Command::new(words.next().expect("the runner has a name"));
    command.args(words).arg(program);
    command
}

/// The value of `CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER`, or what it is called here.
fn runner() -> Option<String> {
    let prefix = format!("CARGO_TARGET_{}_", ARCH.to_uppercase());
    let mut variables = env::vars_os().filter_map(|(name, value)| {
        let name = name.to_str()?;
        (name.starts_with(&prefix) && name.ends_with("_RUNNER")).then_some(value)
    });
    variables.next()?.into_string().ok()
}
