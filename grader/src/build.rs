//! Lets cargo build a lab's grading tests in the scratch tree.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde::Deserialize;

use crate::error::Error;
use crate::interrupt::Interrupt;
use crate::process::{self, End, Limits};
use crate::scratch::Scratch;
use crate::workspace::cargo;

/// A compiler may be silent for so long, and print so much.
const LIMITS: Limits = Limits { silence: Duration::from_secs(600), output: 64 << 20 };

/// What a test process must not inherit: it would change what is tested.
const SCRUBBED: [&str; 8] = [
    "LAB_SEED",
    "LAB_RUNS",
    "LAB_POLICY",
    "LAB_RUNTIME",
    "LAB_REPORT",
    "LAB_NONCE_FD",
    "VERBOSE",
    "RUST_BACKTRACE",
];

/// A line of cargo's messages.
#[derive(Debug, Deserialize)]
struct Message {
    target: Option<Target>,
    executable: Option<PathBuf>,
}

/// What a message is about.
#[derive(Debug, Deserialize)]
struct Target {
    name: String,
}

/// Builds the grading tests of `lab`. `Err` inside is what the compiler says.
///
/// # Errors
/// If cargo cannot be run, or the user interrupts.
pub(crate) fn build(
    scratch: &Scratch,
    lab: &str,
    interrupt: &Interrupt,
) -> Result<Result<PathBuf, String>, Error> {
    let output = scratch.files().join("build");
    let mut command = cargo();
    command
        .current_dir(scratch.tree())
        .env("CARGO_TARGET_DIR", scratch.target())
        // Nobody debugs these binaries, and each is built anew.
        .env("CARGO_PROFILE_DEV_DEBUG", "false")
        .args(["test", "--no-run", "-p", lab, "--test", "grading"])
        .args(["--message-format", "json-render-diagnostics", "--color", "never"]);
    let end = process::run(&mut command, &output, Some(&output), LIMITS, interrupt)?;
    let text = fs::read(&output).map_err(|error| Error::io("read", &output, &error))?;
    let text = String::from_utf8_lossy(&text);
    match end {
        End::Exited(status) if status.success() => match executable(&text) {
            Some(path) => Ok(Ok(path)),
            None => Err(Error::Harness(format!("cargo names no test binary of {lab}"))),
        },
        End::Exited(_) => Ok(Err(diagnostics(&text))),
        End::Silent | End::PrintedTooMuch => {
            Ok(Err(format!("the compiler does not end\n{}", diagnostics(&text))))
        }
    }
}

/// The binary of the grading tests, from cargo's messages.
fn executable(output: &str) -> Option<PathBuf> {
    let messages = output.lines().filter_map(|line| serde_json::from_str::<Message>(line).ok());
    messages
        .filter(|message| message.target.as_ref().is_some_and(|target| target.name == "grading"))
        .find_map(|message| message.executable)
}

/// What the compiler says, without cargo's messages.
fn diagnostics(output: &str) -> String {
    let lines: Vec<&str> = output.lines().filter(|line| !line.starts_with('{')).collect();
    lines.join("\n")
}

/// A command that runs a test binary of `lab` as cargo would.
pub(crate) fn test_command(scratch: &Scratch, binary: &Path, lab: &str) -> Command {
    let mut command = Command::new(binary);
    command.current_dir(scratch.tree().join(lab));
    for name in SCRUBBED {
        command.env_remove(name);
    }
    command.env("CARGO_MANIFEST_DIR", scratch.tree().join(lab));
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binary_is_found_among_messages_and_warnings() {
        let output = "warning: unused\n\
            {\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"raft\"},\"executable\":null}\n\
            {\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"grading\"},\"executable\":\"/t\"}\n\
            {\"reason\":\"build-finished\",\"success\":true}\n";
        assert_eq!(executable(output), Some(PathBuf::from("/t")));
        assert_eq!(executable("{}\n"), None);
        assert_eq!(diagnostics(output), "warning: unused");
    }
}
