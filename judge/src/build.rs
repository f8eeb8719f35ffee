//! Builds a lab's tests with cargo, and keeps a copy of the result.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use contract::settings::forget_settings;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use signal_hook::consts::SIGINT;

use crate::catalog::Lab;
use crate::error::Error;
use crate::kept::Kept;
use crate::listing::{list_commands, without_ignored};
use crate::messages::{Built, DIAGNOSTICS, LIBRARY, artifacts};
use crate::sandbox::Sandbox;
use crate::space;
use crate::stop::Stop;
use crate::streams::Streams;
use crate::workspace::cargo;

/// Builds the tests of labs.
pub struct Builder<'a> {
    /// The workspace's root.
    pub tree: &'a Path,
    /// Cargo's target directory; `None` for the default.
    pub target: Option<&'a Path>,
    /// Whether to build with all optimizations.
    pub release: bool,
    /// Whether to build with debug information, which backtraces need.
    pub debug: bool,
    /// Whether the compiler prints to the terminal. Otherwise its output is captured.
    pub shown: bool,
    /// The directory for the copies of builds.
    pub builds: &'a Path,
    /// Stops a build.
    pub stop: &'a Stop,
    /// Limits the build. The output is then always captured, and this program starts cargo, so it
    /// must call [`launcher_main`](crate::launcher_main).
    pub sandbox: Option<Sandbox<'a>>,
}

/// A built test binary with the lab's programs, in a separate directory: no later build changes it
/// while it is in use. Dropping the last build in a directory removes the directory.
#[derive(Debug)]
pub struct Build {
    kept: Kept,
    /// Where cargo would run the tests.
    directory: PathBuf,
    names: Vec<String>,
}

/// The output of cargo and the compiler.
#[derive(Default)]
struct Said {
    messages: Vec<u8>,
    diagnostics: Vec<u8>,
}

impl Builder<'_> {
    /// The command that builds the tests of `lab`.
    pub fn command(&self, lab: &Lab) -> Command {
        let mut command = cargo();
        command.args(["test", "-p", &lab.name, "--no-run"]);
        match lab.target.as_str() {
            LIBRARY => command.arg("--lib"),
            target => command.args(["--test", target]),
        };
        if self.release {
            command.arg("--release");
        }
        command
    }

    /// Builds the tests of `lab`. The inner `Err` has the compiler's output, if it is captured.
    ///
    /// # Errors
    /// If cargo cannot be run, does not build these tests, lacks space, or is interrupted.
    pub fn build(&self, lab: &Lab) -> Result<Result<Build, String>, Error> {
        let first = self.build_once(lab);
        if !lacks_space(&first) {
            return first;
        }
        self.check_space()?;
        // There is room again, or the code made the compiler say it.
        let second = self.build_once(lab);
        if lacks_space(&second) {
            self.check_space()?;
        }
        second
    }

    /// Fails if the disk has no room for a build.
    fn check_space(&self) -> Result<(), Error> {
        let Some(free) = space::scarce(self.target.unwrap_or(self.tree)) else { return Ok(()) };
        let free = free >> 20;
        Err(Error::harness(format!(
            "the disk on which it is built has only {free} MiB left: free some space and run the \
             command again"
        )))
    }

    /// Builds once.
    fn build_once(&self, lab: &Lab) -> Result<Result<Build, String>, Error> {
        let mut command = self.command(lab);
        command.current_dir(self.tree);
        if let Some(target) = self.target {
            command.env("CARGO_TARGET_DIR", target);
        }
        if !self.debug {
            command.env("CARGO_PROFILE_DEV_DEBUG", "false");
        }
        let Built { status, messages, diagnostics } = match &self.sandbox {
            Some(sandbox) => sandbox.build(command, self.stop)?,
            None => self.run(command)?,
        };
        let status = match status {
            Ok(status) => status,
            Err(why) => return Ok(Err(format!("{why}\n{diagnostics}"))),
        };
        let artifacts = artifacts(&messages, &lab.target);
        match artifacts.tests {
            Some((tests, manifest)) if status.success() => {
                let directory = manifest.parent().unwrap_or(self.tree).to_path_buf();
                let kept = Kept::new(self.builds, &tests, &artifacts.programs)?;
                let names = match &self.sandbox {
                    Some(sandbox) => sandbox.list(kept.tests(), &directory, self.stop)?,
                    None => Ok(names_of(kept.tests(), &directory)?),
                };
                Ok(match names {
                    Ok(names) => Ok(Build { kept, directory, names }),
                    Err(why) => Err(format!("its tests cannot be listed: {why}\n{diagnostics}")),
                })
            }
            _ if status.signal() == Some(SIGINT) => Err(Error::Interrupted),
            _ if !status.success() && artifacts.has_compiled => Ok(Err(diagnostics)),
            _ => Err(Error::harness(format!(
                "lab/labs.toml lists the test target '{}' of package '{}', but cargo did not \
                 build it ({status}); see above{}{diagnostics}",
                lab.target,
                lab.name,
                if diagnostics.is_empty() { "" } else { "\n" },
            ))),
        }
    }

    /// Runs cargo in a separate process group. The diagnostics are empty if they are shown.
    fn run(&self, mut command: Command) -> Result<Built, Error> {
        let failed = |error| {
            Error::harness(format!("cannot run cargo: {error}; check that it is in your PATH"))
        };
        command.arg("--message-format=json-render-diagnostics");
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        if !self.shown {
            command.args(["--color", "never"]).stderr(Stdio::piped());
            command.process_group(0); // A terminal's signals end what is shown, and only that.
        }
        let mut child = command.spawn().map_err(failed)?;
        let cargo = Pid::from_child(&child);
        let mut streams = Streams::new();
        if let Some(output) = child.stdout.take() {
            streams.until_end(OwnedFd::from(output), |said: &mut Said, bytes| {
                said.messages.extend_from_slice(bytes);
            });
        }
        if let Some(errors) = child.stderr.take() {
            streams.until_end(OwnedFd::from(errors), |said, bytes| {
                let room = DIAGNOSTICS.saturating_sub(said.diagnostics.len()).min(bytes.len());
                said.diagnostics.extend_from_slice(&bytes[..room]);
            });
        }
        let mut said = Said::default();
        let mut signal = Some(Signal::INT); // Sent once: cargo cleans up.
        let read = streams.read(&mut said, |_| {
            if self.stop.is_interrupted()
                && let Some(signal) = signal.take()
            {
                kill_process(cargo, signal).ok();
                kill_process_group(cargo, signal).ok(); // It may just have ended.
            }
        });
        read.map_err(failed)?;
        let status = child.wait().map_err(failed)?;
        self.stop.check()?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let (messages, diagnostics) = (text(said.messages), text(said.diagnostics));
        Ok(Built { status: Ok(status), messages, diagnostics })
    }
}

impl Build {
    /// Copies built tests and programs to a directory in `builds`. The tests will run in
    /// `directory`.
    ///
    /// # Errors
    /// If a file cannot be read or written, or the tests cannot be listed.
    pub fn keep(
        tests: &Path,
        programs: &[PathBuf],
        directory: PathBuf,
        builds: &Path,
    ) -> Result<Self, Error> {
        let kept = Kept::new(builds, tests, programs)?;
        let names = names_of(kept.tests(), &directory)?;
        Ok(Self { kept, directory, names })
    }

    /// The test binary.
    pub fn tests(&self) -> &Path {
        self.kept.tests()
    }

    /// The directory that holds the lab's programs.
    pub fn programs(&self) -> &Path {
        self.kept.directory()
    }

    /// The working directory of the tests.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// A hash of the tests and programs.
    pub fn hash(&self) -> &str {
        self.kept.hash()
    }

    /// The names of the tests, such as `election_2a::initial_election_2a`.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether tests and programs are still what was built.
    pub(crate) fn is_intact(&self) -> bool {
        self.kept.is_intact()
    }

    /// A command that runs the test binary as cargo does.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(self.tests());
        forget_settings(&mut command)
            .current_dir(&self.directory)
            .env("CARGO_MANIFEST_DIR", &self.directory);
        command
    }
}

/// Whether a build says that the disk is full.
fn lacks_space(result: &Result<Result<Build, String>, Error>) -> bool {
    match result {
        Ok(Err(said)) | Err(Error::Harness(said)) => space::is_said(said),
        _ => false,
    }
}

/// Lists the tests of a binary except ignored ones.
fn names_of(tests: &Path, directory: &Path) -> Result<Vec<String>, Error> {
    let [all, ignored] = list_commands(tests, directory).map(|mut command| {
        let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
        let output = output.map_err(Error::file("run", tests))?;
        if !output.status.success() {
            let problem = io::Error::other(output.status.to_string());
            return Err(Error::file("list the tests of", tests)(problem));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    });
    Ok(without_ignored(&all?, &ignored?))
}
