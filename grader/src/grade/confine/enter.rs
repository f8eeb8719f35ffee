//! The launcher of a confined command: it confines itself, or the thread that starts the command.
//!
//! A grader starts this program again for every run, see [`judge::launcher_main_with`]. Process ids
//! of its own need one more process: a new namespace begins with the next child.

use std::env;
use std::io;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use contract::record::Exit;
use contract::settings::RECORD;
use tempfile::TempDir;

use super::rules::{Level, Rules};
use super::{landlocked, namespaces};

/// The environment variable that holds the [`Rules`] in a launcher.
const RULES: &str = "GRADER_CONFINE";

/// Set in the first process of a namespace.
const FIRST: &str = "GRADER_FIRST_PROCESS";

/// The variables that name the directory for temporary files, or hold things that should be there.
const DIRECTORIES: [&str; 2] = ["TMPDIR", "HOME"];

/// The file for a recording, in the directory for temporary files. The launcher sends it on.
const RECORDING: &str = "recording.jsonl";

impl Rules {
    /// Makes the launcher of `command` enforce these rules.
    pub(crate) fn give_to(&self, command: &mut Command) {
        let rules = serde_json::to_string(self).expect("paths are UTF-8, see `Confinement::open`");
        command.env(RULES, rules);
    }
}

/// Runs the launcher if a grader has started this process as one with rules.
pub(crate) fn enter() -> Option<ExitCode> {
    let rules = env::var(RULES).ok()?;
    let rules: io::Result<Rules> = serde_json::from_str(&rules).map_err(io::Error::from);
    if let Ok(rules) = &rules
        && rules.level == Level::Processes
        && env::var_os(FIRST).is_none()
    {
        return match first_process() {
            Ok(code) => Some(code),
            // The launcher reports it to the judge.
            Err(error) => judge::launcher_main_with(|_| Err(error)),
        };
    }
    let place = rules.and_then(Place::new);
    judge::launcher_main_with(|command| match &place {
        Ok(place) => place.confine(command),
        Err(error) => Err(io::Error::new(error.kind(), error.to_string())),
    })
}

/// Starts this program as the first process of new namespaces, and waits for its end.
fn first_process() -> io::Result<ExitCode> {
    namespaces::enter(Level::Processes)?;
    // `/proc` is still that of the old namespace, so this is the file that runs.
    let status = Command::new("/proc/self/exe").env(FIRST, "1").status()?;
    Ok(if status.success() { Exit::Passed } else { Exit::Harness }.into())
}

/// Where a confined command runs.
struct Place {
    rules: Rules,
    /// The directory for temporary files.
    temporary: PathBuf,
    _scratch: Option<Scratch>,
}

impl Place {
    /// Prepares this process, which stays outside of Landlock.
    fn new(rules: Rules) -> io::Result<Self> {
        let (temporary, scratch) = match rules.level {
            Level::None | Level::Landlock => {
                let scratch = Scratch::new(&rules)?;
                (scratch.path().to_path_buf(), Some(scratch))
            }
            level => {
                if level == Level::Network {
                    namespaces::enter(level)?;
                }
                namespaces::set_up(&rules)?;
                (PathBuf::from(namespaces::TEMPORARY), None)
            }
        };
        Ok(Self { rules, temporary, _scratch: scratch })
    }

    /// Confines this thread, and whatever it starts. Returns the directories that the command may
    /// write to.
    fn confine(&self, command: &mut Command) -> io::Result<Vec<PathBuf>> {
        command.env_remove(RULES).env_remove(FIRST);
        for variable in DIRECTORIES {
            command.env(variable, &self.temporary);
        }
        if env::var_os(RECORD).is_some() {
            command.env(RECORD, self.temporary.join(RECORDING));
        }
        if let Some(user) = self.rules.user {
            command.uid(user).gid(user); // Without other groups: the standard library drops them.
        }
        if self.rules.level > Level::None {
            landlocked::restrict(&self.rules, &self.temporary)?;
            namespaces::drop_capabilities(&self.rules)?;
        }
        let mut directories = self.rules.write.clone();
        directories.push(self.temporary.clone());
        Ok(directories)
    }
}

/// A directory for temporary files, removed at the end.
struct Scratch(TempDir);

impl Scratch {
    fn new(rules: &Rules) -> io::Result<Self> {
        // Paths of sockets have at most 108 bytes.
        let directory = tempfile::Builder::new().prefix("").tempdir_in(&rules.scratch)?;
        if let Some(user) = rules.user {
            chown(directory.path(), Some(user), Some(user))?;
        }
        Ok(Self(directory))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        super::remove_all(self.path());
    }
}
