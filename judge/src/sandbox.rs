//! Builds a lab with limits.

use std::path::Path;
use std::process::Command;

use crate::error::Error;
use crate::launch::{Word, own_program};
use crate::listing::{list_commands, without_ignored};
use crate::messages::{Built, DIAGNOSTICS, Message};
use crate::no_record::without_record;
use crate::process::{Ended, Limits, Process, Stopped, Wrap};
use crate::stop::Stop;

/// What limits a build, and the list of its tests.
#[derive(Clone, Copy)]
pub struct Sandbox<'a> {
    /// The limits of cargo and all processes that it starts.
    pub limits: Limits,
    /// Changes the command of cargo.
    pub build: &'a Wrap,
    /// Changes the command that lists the tests: this runs what was built.
    pub list: &'a Wrap,
}

impl Sandbox<'_> {
    /// Runs cargo with the limits of a sandbox.
    pub(crate) fn build(&self, mut command: Command, stop: &Stop) -> Result<Built, Error> {
        // All output arrives in one stream. In this format, no line that begins with a brace has a
        // text of the student.
        command.args(["--color", "never", "--message-format=json"]);
        let (ended, output) = self.run((self.build)(command), stop)?;
        let mut diagnostics = String::new();
        for line in output.lines() {
            match serde_json::from_str::<Message>(line) {
                Ok(message) => {
                    let rendered = message.message.and_then(|message| message.rendered);
                    diagnostics += &rendered.unwrap_or_default();
                }
                Err(_) if line.starts_with('{') => {}
                Err(_) => diagnostics += &format!("{line}\n"),
            }
        }
        let end = diagnostics.floor_char_boundary(DIAGNOSTICS);
        diagnostics.truncate(end);
        if ended.stopped == Some(Stopped::Late) {
            // The limit of processor time stops code that never ends: this machine is too slow.
            return Err(Error::harness(without_record(&ended, self.limits).1));
        }
        let status = match ended.word {
            Some(Word::CannotStart(why)) => {
                return Err(Error::harness(format!("cannot run cargo: {why}")));
            }
            Some(Word::Ended { status, .. }) if ended.stopped.is_none() => {
                Ok(Word::exit_status(status))
            }
            _ => Err(without_record(&ended, self.limits).1),
        };
        Ok(Built { status, messages: output, diagnostics })
    }

    /// Runs a command with limits. Returns its end and what it printed.
    fn run(&self, command: Command, stop: &Stop) -> Result<(Ended, String), Error> {
        let launcher = own_program()
            .map_err(|error| Error::harness(format!("cannot find this program: {error}")))?;
        let process = Process {
            launcher: &[launcher.into()],
            command,
            assignment: String::new(),
            limits: self.limits,
            stop,
        };
        let mut output = Vec::new(); // The limit of output stops a process that prints more.
        let ended = process.run(&mut output)?;
        if stop.is_requested() {
            return Err(Error::Interrupted);
        }
        Ok((ended, String::from_utf8_lossy(&output).into_owned()))
    }

    /// Runs a command as it runs what was built. Returns what it prints, or why it failed.
    ///
    /// # Errors
    /// If it is interrupted.
    pub fn output(&self, command: Command, stop: &Stop) -> Result<Result<String, String>, Error> {
        let (ended, output) = self.run((self.list)(command), stop)?;
        Ok(match ended.word {
            Some(Word::Ended { status: 0, .. }) if ended.stopped.is_none() => Ok(output),
            _ => Err(without_record(&ended, self.limits).1),
        })
    }

    /// Lists the tests of a binary except ignored ones. The inner `Err` is the reason why it cannot
    /// be listed.
    pub(crate) fn list(
        &self,
        tests: &Path,
        directory: &Path,
        stop: &Stop,
    ) -> Result<Result<Vec<String>, String>, Error> {
        let mut lists = Vec::new();
        for command in list_commands(tests, directory) {
            match self.output(command, stop)? {
                Ok(list) => lists.push(list),
                Err(why) => return Ok(Err(why)),
            }
        }
        Ok(Ok(without_ignored(&lists[0], &lists[1])))
    }
}
