//! The sandbox of `cargo grade`: what submitted code cannot reach, and that nothing of it is left.

#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// The attacks, one for each test of part 2A.
const ATTACKS: &str = include_str!("attacks.rs");

/// What the strongest protection says of itself. Root adds ", own user".
const STRONGEST: &str = "Landlock, network and process namespaces, private /tmp";

/// Submissions, and the directories that grading them uses.
struct Fixture {
    directory: TempDir,
    victim: Child,
}

impl Drop for Fixture {
    fn drop(&mut self) {
        self.victim.kill().ok();
        self.victim.wait().ok();
    }
}

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("it is below the root")
}

impl Fixture {
    fn new() -> Self {
        let directory = TempDir::new().expect("temporary directories can be made");
        let victim = Command::new("sleep").arg("600").spawn().expect("it starts");
        Self { directory, victim }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Makes a submission from the skeleton of Raft, with another source file.
    fn submit(&self, id: &str, source: &str) -> PathBuf {
        let to = self.path(id).join("raft/src");
        fs::create_dir_all(&to).expect("it can be created");
        for file in fs::read_dir(workspace().join("handout/raft/src")).expect("there is one") {
            let file = file.expect("it can be read").path();
            let mut text = fs::read_to_string(&file).expect("it is text");
            if file.ends_with("lib.rs") {
                text = text.replacen("\nmod apply;", "\nmod apply;\nmod attacks;", 1);
            }
            let begin = "        let saved = persister.raft_state();";
            let attack = format!("        crate::attacks::attack(me);\n{begin}");
            text = text.replacen(begin, &attack, 1);
            fs::write(to.join(file.file_name().expect("it has a name")), text).expect("written");
        }
        fs::write(to.join("attacks.rs"), source).expect("it can be written");
        self.path(id)
    }

    fn grade(&self, submissions: &[PathBuf]) -> Output {
        self.grade_with(Command::new(env!("CARGO_BIN_EXE_grader")), submissions)
    }

    /// Grades with a command that ends with the grader.
    fn grade_with(&self, mut command: Command, submissions: &[PathBuf]) -> Output {
        command.arg("grade").args(submissions).current_dir(workspace());
        command.args(["--labs", "raft", "--only", "2a", "--seeds", "1", "--time-out", "30"]);
        command.arg("--slots").arg(self.path("slots")).arg("-o").arg(self.path("out"));
        command.env("GRADER_SECRET", "not for students");
        command.args(["--allow-root", "--no-lint"]).output().expect("it runs")
    }

    fn result(&self, id: &str) -> Value {
        let text = fs::read(self.path("out").join(format!("{id}.json"))).expect("it is written");
        serde_json::from_slice(&text).expect("it is JSON")
    }

    /// No processes, files, copies or mounts.
    fn check_that_nothing_is_left(&self) {
        assert_eq!(Fixture::processes_with("sleep 987"), [""; 0]);
        let slots = self.path("slots");
        let slots = slots.to_str().expect("it is UTF-8");
        assert_eq!(Fixture::processes_with(slots), [""; 0]);
        for slot in fs::read_dir(slots).expect("it exists").flatten() {
            let left = fs::read_dir(slot.path().join("tmp")).expect("it exists").count();
            assert_eq!(left, 0, "files are left");
            assert!(!slot.path().join("builds").exists(), "copies are left");
        }
        let mounts = fs::read_to_string("/proc/self/mountinfo").expect("Linux has it");
        assert!(!mounts.contains(slots), "{mounts}");
    }

    /// The first attack was drawn; the second one has spoiled the recording of its run.
    fn check_pictures(&self, result: &Value) {
        let first = |test: usize| &result["labs"][0]["parts"][0]["tests"][test]["failures"][0];
        let read = |picture: &Value| {
            let page = picture["page"].as_str().unwrap_or_else(|| panic!("{picture}"));
            fs::read_to_string(self.path("out").join(page)).expect("the page is written")
        };
        assert!(read(&first(0)["picture"]).contains("Content-Security-Policy"));
        let smallest = &first(0)["smaller"]["run"];
        assert_eq!(smallest["after"], 0, "{smallest}");
        assert!(read(&smallest["picture"]).contains("Content-Security-Policy"));
        let missing = first(1)["picture"]["missing"].as_str();
        assert_eq!(missing, Some("the repeated run has left no recording"));
    }

    /// The command lines of running processes that contain `text`.
    fn processes_with(text: &str) -> Vec<String> {
        let entries = fs::read_dir("/proc").expect("Linux has it").flatten();
        let lines = entries.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
        let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
        lines.filter(|line| line.contains(text)).collect()
    }
}

/// What each test of a submission observed.
fn observations(result: &Value) -> BTreeMap<String, String> {
    let tests = result["labs"][0]["parts"][0]["tests"].as_array().expect("it has tests");
    let text = |test: &Value| {
        let name = test["test"].as_str().expect("it has a name").to_string();
        (name, test["failures"][0]["actual"].as_str().unwrap_or("passed").to_string())
    };
    tests.iter().map(text).collect()
}

#[test]
fn attacks_reach_nothing_and_leave_nothing() {
    let mut fixture = Fixture::new();
    let server = TcpListener::bind("127.0.0.1:0").expect("loopback works");
    let port = server.local_addr().expect("it is bound").port();
    let source = format!(
        "{ATTACKS}\nconst SOURCE: &str = {:?};\nconst PORT: &str = \"{port}\";\n\
         const VICTIM: &str = \"{}\";\n",
        workspace().join("raft/src/lib.rs"),
        fixture.victim.id(),
    );
    let runs = fixture.submit("runs", &source);
    let include = "const TEXT: &str = include_str!(\"/etc/passwd\");\n\
                   pub fn attack(_: usize) { println!(\"{TEXT}\"); }\n";
    let builds = fixture.submit("builds", include);
    let output = fixture.grade(&[builds, runs]);
    let errors = String::from_utf8_lossy(&output.stderr);
    if errors.contains("this system grants no sandbox") {
        eprintln!("skipped: {errors}");
        return;
    }
    assert!(output.status.success(), "{errors}");

    let built = fixture.result("builds");
    let obstacle = built["labs"][0]["obstacle"]["does-not-compile"].as_str();
    let obstacle = obstacle.expect("the compiler cannot read the file");
    assert!(obstacle.contains("couldn't read `/etc/passwd`: Permission denied"), "{obstacle}");

    let result = fixture.result("runs");
    let protection = result["with"]["protection"].as_str().expect("it is text");
    let has_namespaces = protection.starts_with(STRONGEST);
    if !has_namespaces {
        eprintln!("skipped: attacks that need namespaces to be stopped: {protection}");
    }
    let seen = observations(&result);
    let stopped = [
        ("split_votes_end_2a", "it used more than 2 GiB of memory"),
        ("half_elects_nobody_2a", "it used more than 1 GiB of disk space"),
        ("leader_stays_2a", "it printed more than 32 MiB"),
        ("new_leader_is_left_alone_2a", "it used more than 64 processes"),
        ("replies_depose_leader_2a", "it wrote a file with more than 512 MiB"),
    ];
    for (test, reason) in stopped {
        assert!(seen[test].contains(reason), "{test}: {}", seen[test]);
    }
    let reached = |test: &str| -> Vec<&str> {
        let text = seen[test].split_once("outcomes: ").expect("it has outcomes").1;
        text.split("; ").filter_map(|one| one.strip_prefix("REACHED ")).collect()
    };
    assert_eq!(reached("initial_election_2a"), ["own"], "{seen:?}");
    if has_namespaces {
        assert_eq!(reached("re_election_2a"), ["loopback", "unix"], "{seen:?}");
        assert_eq!(reached("many_elections_2a"), [""; 0], "{seen:?}");
        assert!(seen["many_elections_2a"].contains("launcher lives: true"), "{seen:?}");
    }
    fixture.check_pictures(&result);
    assert!(fixture.victim.try_wait().expect("it is a child").is_none(), "the victim was killed");

    fixture.check_that_nothing_is_left();
}

#[test]
fn a_full_disk_is_not_the_fault_of_the_code() {
    let fixture = Fixture::new();
    let submission = fixture.submit("x", "pub fn attack(_: usize) {}\n");
    let slots = fixture.path("slots");
    fs::create_dir(&slots).expect("it can be created");
    // The mount ends with the grader. The handout fits on the disk, and a few dependencies.
    let small = "mount -t tmpfs -o size=24m none \"$0\" && exec \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["--mount", "--", "sh", "-c", small]).arg(&slots);
    command.arg(env!("CARGO_BIN_EXE_grader"));
    let output = fixture.grade_with(command, &[submission]);
    let errors = String::from_utf8_lossy(&output.stderr);
    if !rustix::process::getuid().is_root() || errors.contains("unshare: ") {
        eprintln!("skipped: this user cannot make a small disk: {errors}");
        return;
    }
    assert_eq!(output.status.code(), Some(2), "{errors}");
    let result = fixture.result("x");
    let obstacle = result["labs"][0]["obstacle"]["not-built"].as_str().unwrap_or_default();
    assert!(obstacle.contains("the disk on which it is built has only"), "{result}");
    assert_eq!(result["pending"], true);
}

#[test]
fn root_is_refused() {
    let fixture = Fixture::new();
    let submission = fixture.submit("x", "pub fn attack(_: usize) {}\n");
    let mut command = Command::new(env!("CARGO_BIN_EXE_grader"));
    command.arg("grade").arg(submission).args(["--labs", "raft"]).current_dir(workspace());
    command.arg("--slots").arg(fixture.path("slots")).arg("-o").arg(fixture.path("out"));
    if !rustix::process::getuid().is_root() {
        eprintln!("skipped: this user is not root");
        return;
    }
    let output = command.output().expect("it runs");
    assert_eq!(output.status.code(), Some(5));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("must not run as root"), "{errors}");
}
