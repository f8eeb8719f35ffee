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

/// A lab's grading tests and the programs that they start, which no later build overwrites.
#[derive(Clone, Debug)]
pub(crate) struct Build {
    /// The tests.
    pub(crate) tests: PathBuf,
    /// The programs of the lab's package.
    programs: Vec<Program>,
}

/// A program that tests start.
#[derive(Clone, Debug)]
struct Program {
    /// Where the tests look for it: cargo has compiled the path into them.
    place: PathBuf,
    /// Where it is kept.
    kept: PathBuf,
}

impl Build {
    /// Keeps what cargo has just built in `directory`, in place of what was there.
    fn keep(artifacts: Artifacts, directory: &Path) -> Result<Self, Error> {
        if directory.exists() {
            fs::remove_dir_all(directory)
                .map_err(|error| Error::io("remove", directory, &error))?;
        }
        fs::create_dir(directory).map_err(|error| Error::io("create", directory, &error))?;
        let keep = |place: &Path| {
            let kept = directory.join(place.file_name().unwrap_or_default());
            fs::copy(place, &kept).map_err(|error| Error::io("copy", place, &error))?;
            Ok(kept)
        };
        let tests = keep(&artifacts.tests)?;
        let programs = artifacts.programs.into_iter().map(|place| {
            let kept = keep(&place)?;
            Ok(Program { place, kept })
        });
        Ok(Self { tests, programs: programs.collect::<Result<_, Error>>()? })
    }

    /// Puts the programs where the tests find them: another build may have been there meanwhile.
    ///
    /// # Errors
    /// If a file cannot be replaced.
    pub(crate) fn install(&self) -> Result<(), Error> {
        for Program { place, kept } in &self.programs {
            // Never written to: cargo has linked the same file under another name.
            let linked = fs::remove_file(place).and_then(|()| fs::hard_link(kept, place));
            linked.map_err(|error| Error::io("replace", place, &error))?;
        }
        Ok(())
    }
}

/// What cargo says that it has built.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Artifacts {
    /// The grading tests.
    tests: PathBuf,
    /// Programs.
    programs: Vec<PathBuf>,
}

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
    /// `bin`, `test`, ...
    kind: Vec<String>,
}

/// Builds the grading tests of `lab`, and keeps them under this name. `Err` inside is what the
/// compiler says.
///
/// # Errors
/// If cargo cannot be run, or the user interrupts.
pub(crate) fn build(
    scratch: &Scratch,
    lab: &str,
    name: &str,
    interrupt: &Interrupt,
) -> Result<Result<Build, String>, Error> {
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
        End::Exited(status) if status.success() => match artifacts(&text) {
            Some(artifacts) => Build::keep(artifacts, &scratch.files().join(name)).map(Ok),
            None => Err(Error::Harness(format!("cargo names no test binary of {lab}"))),
        },
        End::Exited(_) => Ok(Err(diagnostics(&text))),
        End::Silent | End::PrintedTooMuch => {
            Ok(Err(format!("the compiler does not end\n{}", diagnostics(&text))))
        }
    }
}

/// The grading tests and the programs, from cargo's messages.
fn artifacts(output: &str) -> Option<Artifacts> {
    let messages = output.lines().filter_map(|line| serde_json::from_str::<Message>(line).ok());
    let (mut tests, mut programs) = (None, Vec::new());
    for message in messages {
        let (Some(target), Some(path)) = (message.target, message.executable) else { continue };
        if target.kind == ["bin"] {
            programs.push(path);
        } else if target.name == "grading" {
            tests = Some(path);
        }
    }
    Some(Artifacts { tests: tests?, programs })
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
    fn artifacts_are_found_among_messages_and_warnings() {
        let message = |name: &str, kind: &str, path: &str| {
            format!(
                "{{\"reason\":\"compiler-artifact\",\
                 \"target\":{{\"name\":\"{name}\",\"kind\":[\"{kind}\"]}},\"executable\":{path}}}\n"
            )
        };
        let output = "warning: unused\n".to_string()
            + &message("mapreduce", "lib", "null")
            + &message("mrworker", "bin", "\"/w\"")
            + &message("grading", "test", "\"/t\"")
            + "{\"reason\":\"build-finished\",\"success\":true}\n";
        let expected = Artifacts { tests: "/t".into(), programs: vec!["/w".into()] };
        assert_eq!(artifacts(&output), Some(expected));
        assert_eq!(artifacts("{}\n"), None);
        assert_eq!(diagnostics(&output), "warning: unused");
    }
}
