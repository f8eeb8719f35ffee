//! Tiny workspaces with one lab, whose tests speak to the grader as real ones do.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// The lab: its answer should be 42, whatever the seed.
const LAB: &str = "\
//! A lab.

/// The answer.
pub fn answer(seed: u64) -> u64 {
    let _ = seed;
    42
}
";

/// Its tests: one that runs under seeds and writes records, and a plain one.
const GRADING: &str = r##"
use std::io::Write as _;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().unwrap())
}

fn record(seed: u64, verdict: &str) {
    let Ok(path) = std::env::var("LAB_REPORT") else { return };
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
    let failure = "\"answer_1a failed\\n  claim     the answer\\n  actual    not 42\"";
    let failure = if verdict == "fail" { failure } else { "null" };
    let policy = std::env::var("LAB_POLICY").unwrap();
    writeln!(file, r#"{{"seed":{seed},"policy":"{policy}","verdict":"{verdict}","failure":{failure},"more":[]}}"#).unwrap();
}

#[test]
fn answer_1a() {
    let first = number("LAB_SEED", 0);
    for seed in first..first + number("LAB_RUNS", 1) {
        let right = tiny::answer(seed) == 42;
        record(seed, if right { "pass" } else { "fail" });
        assert!(right);
    }
}

#[test]
fn plain_1a() {
    assert_eq!(tiny::answer(0), 42);
}
"##;

/// A program, and a test that asks it.
const PROGRAM: &str = "\
fn main() {
    let seed = std::env::args().nth(1).unwrap().parse().unwrap();
    println!(\"{}\", tiny::answer(seed));
}
";
const PROGRAM_TEST: &str = r##"
#[test]
fn program_1b() {
    let first = number("LAB_SEED", 0);
    for seed in first..first + number("LAB_RUNS", 1) {
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_answer"));
        let output = program.arg(seed.to_string()).output().unwrap();
        let verdict = if output.stdout == b"42\n" { "pass" } else { "fail" };
        let line = format!(r#"{{"seed":{seed},"policy":null,"verdict":"{verdict}"}}"#);
        let path = std::env::var("LAB_REPORT").unwrap();
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
        writeln!(file, "{line}").unwrap();
        assert_eq!(verdict, "pass");
    }
}
"##;

/// A workspace in a directory of its own.
pub struct Fixture(TempDir);

impl Fixture {
    /// A workspace without patches.
    pub fn new() -> Self {
        let fixture = Self(tempfile::tempdir().expect("there is room for a directory"));
        fixture.write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"tiny\"]\n");
        fixture.write(".gitignore", "/target\n");
        fixture.write(
            "tiny/Cargo.toml",
            "[package]\nname = \"tiny\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
        );
        fixture.write("tiny/src/lib.rs", LAB);
        fixture.write("tiny/tests/grading/main.rs", GRADING);
        let git = Command::new("git")
            .arg("init")
            .current_dir(fixture.path())
            .output()
            .expect("git is there");
        assert!(git.status.success());
        fixture
    }

    /// Adds a program with a test that runs in real time.
    pub fn with_program(self) -> Self {
        self.write("tiny/src/bin/answer.rs", PROGRAM);
        self.write("tiny/tests/grading/main.rs", &(GRADING.to_string() + PROGRAM_TEST));
        self
    }

    /// Adds a patch that replaces the line `42` by `code`.
    pub fn with_patch(self, collection: &str, name: &str, code: &str) -> Self {
        let diff = format!(
            "Says something else. See the handout.\n\n\
             --- a/tiny/src/lib.rs\n+++ b/tiny/src/lib.rs\n@@ -5,3 +5,3 @@\n \
             {brace}\n-    42\n+    {code}\n }}\n",
            brace = "    let _ = seed;"
        );
        self.write(&format!("{collection}/tiny/{name}.patch"), &diff);
        self
    }

    /// Writes a file.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.0.path().join(name);
        let directory = path.parent().expect("a file is in a directory");
        fs::create_dir_all(directory).expect("a directory can be created");
        fs::write(path, text).expect("a file can be written");
    }

    /// The root.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Where the grader works.
    pub fn home(&self) -> PathBuf {
        self.0.path().join("target/grader")
    }

    /// The grader, in this workspace.
    pub fn grader(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_grader"));
        command.args(arguments).current_dir(self.path()).env_remove("CARGO_TARGET_DIR");
        command
    }

    /// Runs the grader; returns its exit code, standard output and standard error.
    pub fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let Output { status, stdout, stderr } =
            self.grader(arguments).output().expect("the grader can be run");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the grader prints text");
        (status.code().expect("no signal ends the grader"), text(stdout), text(stderr))
    }
}
