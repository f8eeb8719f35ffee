//! Workspaces in temporary directories, and the program under test run inside them.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A workspace with the labs `toy` and `rig`, which goes away when it is dropped.
pub(crate) struct Fixture {
    directory: TempDir,
}

/// What a command printed and how it ended.
pub(crate) struct Ran {
    /// The exit code.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

impl Fixture {
    /// A fresh workspace.
    pub(crate) fn new() -> Self {
        let fixture = Self { directory: tempfile::tempdir().unwrap() };
        let toy = "[package]\nname = \"toy\"\nedition = \"2024\"\n\n\
                   [[test]]\nname = \"grading\"\nharness = false\n";
        let workspace = "[workspace]\nresolver = \"3\"\nmembers = [\"toy\", \"rig\"]\n\n\
                         [profile.dev]\ndebug = 0\n";
        fixture.write("Cargo.toml", workspace);
        fixture.write("toy/Cargo.toml", toy);
        fixture.write("toy/src/lib.rs", "");
        fixture.write("toy/src/bin/answer.rs", "fn main() {\n    println!(\"42\");\n}\n");
        fixture.write("toy/tests/grading.rs", include_str!("../fixture/grading.rs"));
        fixture.write("rig/Cargo.toml", "[package]\nname = \"rig\"\nedition = \"2024\"\n");
        fixture.write("rig/src/lib.rs", "#[test]\nfn turns() {}\n");
        fixture.write("lab/labs.toml", include_str!("../fixture/labs.toml"));
        fixture
    }

    /// A path in it.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.directory.path().join(path)
    }

    /// Writes a file.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Reads a file.
    pub(crate) fn read(&self, path: impl AsRef<Path>) -> String {
        let path = self.directory.path().join(path);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Adds a line to the lab's code, so that another program is built.
    pub(crate) fn change_code(&self, line: &str) {
        let path = "toy/tests/grading.rs";
        let text = self.read(path);
        self.write(path, &(text + line));
    }

    /// Runs `cargo lab` with these words.
    pub(crate) fn lab(&self, words: &str) -> Ran {
        self.lab_with_input(words, Stdio::null())
    }

    /// Runs `cargo lab` with these words and this standard input.
    pub(crate) fn lab_with_input(&self, words: &str, input: impl Into<Stdio>) -> Ran {
        Ran::from(self.command(words).stdin(input).output().unwrap())
    }

    /// `cargo lab` with these words, ready to be started in a process group of its own.
    pub(crate) fn command(&self, words: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
        command
            .args(words.split_whitespace())
            .current_dir(self.directory.path())
            .env("CARGO_TARGET_DIR", self.path("target"))
            .env("COLUMNS", "80")
            .env_remove("RUSTFLAGS")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        command
    }

    /// The directories in `lab-runs`, oldest first.
    pub(crate) fn runs(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("lab-runs")).into_iter().flatten();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> =
            names.filter(|name| name != "latest" && name != "builds").collect();
        names.sort();
        names
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().expect("it ended by itself"),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ran {
    /// Checks the exit code, and shows everything if it is another.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    /// Checks that standard output contains a text.
    #[track_caller]
    pub(crate) fn shows(&self, text: &str) -> &Self {
        assert!(
            self.out.contains(text),
            "no '{text}' in stdout:\n{}\nstderr:\n{}",
            self.out,
            self.err
        );
        self
    }

    /// Checks that standard error contains a text.
    #[track_caller]
    pub(crate) fn says(&self, text: &str) -> &Self {
        assert!(
            self.err.contains(text),
            "no '{text}' in stderr:\n{}\nstdout:\n{}",
            self.err,
            self.out
        );
        self
    }
}
