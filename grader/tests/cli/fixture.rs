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

/// How its tests speak to a judge: the assignment arrives over standard input, the record goes back.
const HARNESS: &str = r##"
use std::io::{BufRead as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;

fn judged(check: impl Fn(u64, &str) -> bool) {
    let socket = UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned().unwrap());
    let mut line = String::new();
    std::io::BufReader::new(&socket).read_line(&mut line).unwrap();
    let field = |name: &str| {
        let (_, rest) = line.split_once(&format!("\"{name}\":")).unwrap();
        rest.split([',', '}']).next().unwrap().trim_matches('"').to_string()
    };
    let (test, seed) = (field("test"), field("seed").parse().unwrap());
    let verdict = if check(seed, &field("programs")) { "pass" } else { "fail" };
    let policy = match &*field("policy") { "null" => "null".to_string(), name => format!("\"{name}\"") };
    let failure = r#"{"property":"the answer","actual":"not 42","report":"answer_1a failed"}"#;
    let failure = if verdict == "fail" { failure } else { "null" };
    let nonce = field("nonce");
    writeln!(&socket, r#"{{"version":3,"nonce":"{nonce}","lab":"","part":"","test":"{test}","seed":{seed},"policy":{policy},"verdict":"{verdict}","kind":null,"virtual_seconds":1,"cpu_seconds":0,"events":0,"trace_hash":"","statistics":null,"failure":{failure}}}"#).unwrap();
    std::process::exit(0);
}

"##;

/// Its tests.
const GRADING: &str = "
#[test]
fn answer_1a() {
    judged(|seed, _| tiny::answer(seed) == 42);
}

#[test]
fn first_answer_1a() {
    judged(|_, _| tiny::answer(0) == 42);
}
";

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
    judged(|seed, programs| {
        let mut program = std::process::Command::new(format!("{programs}/answer"));
        program.arg(seed.to_string()).output().unwrap().stdout == b"42\n"
    });
}
"##;

/// The catalog.
const CATALOG: &str = r#"
lab = [{ name = "tiny", title = "Tiny", part = [{ name = "1", title = "", paper = "", test = [
    { name = "answer_1a", points = 1, claim = "", script = "" },
    { name = "first_answer_1a", points = 1, claim = "", script = "" },
    { name = "program_1b", points = 1, claim = "", script = "", real = true },
] }] }]
"#;

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
        fixture.write("tiny/tests/grading/main.rs", &(HARNESS.to_string() + GRADING));
        fixture.write("lab/labs.toml", CATALOG);
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
        self.write("tiny/tests/grading/main.rs", &(HARNESS.to_string() + GRADING + PROGRAM_TEST));
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
