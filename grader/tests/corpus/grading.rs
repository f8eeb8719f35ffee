//! Runs `grader grade` as an instructor would.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::entry::{Edit, Entry, Level, Plan};
use crate::{home, left, make, workspace};

/// The seeds derive from it, so they are always the same.
const SECRET: &str = "corpus";

/// Options for a grading of one submission.
const ONLY_ONE: [&str; 2] = ["--format", "gradescope"];

/// Why a grader does not begin, if the system does not grant the protection.
const NOT_GRANTED: &str = "this system grants no sandbox";

/// Why a grader does not begin at a weaker level, if the user that runs submitted code cannot enter
/// all directories. Elsewhere it is a mistake.
const NOT_ENTERED: &str = "cannot run cargo in the slot";

/// A plan and its name.
pub(crate) struct Grading<'a> {
    pub(crate) name: &'a str,
    pub(crate) plan: &'a Plan,
    /// Where submissions are built.
    pub(crate) slots: &'a Path,
    /// The protection; `None` for the strongest.
    pub(crate) level: Option<Level>,
}

/// What a grading wrote.
pub(crate) struct Results {
    /// The submissions in `results.json`.
    pub(crate) submissions: Vec<Value>,
    /// Seconds of processor time of the grader and all that it started.
    pub(crate) cpu_seconds: f64,
}

impl Grading<'_> {
    /// Grades submissions; `None` if this system does not grant the protection.
    pub(crate) fn grade(&self, entries: &[&Entry]) -> Option<Results> {
        let class = home().join(format!("class-{}", self.name));
        fs::remove_dir_all(&class).ok();
        fs::create_dir_all(&class).expect("it can be created");
        let make = |entry: &&Entry| make::submission(entry, self.labs(entry), &class);
        let made: Vec<PathBuf> = entries.iter().map(make).collect();
        match (&made[..], entries) {
            ([made], [entry]) if !entry.course.is_empty() => {
                self.run(made, &changed_course(&entry.course), &ONLY_ONE)
            }
            // A directory with one submission in it would be that submission itself.
            ([made], _) => self.run(made, workspace(), &ONLY_ONE),
            _ => self.run(&class, workspace(), &[]),
        }
    }

    /// The labs that a submission contains.
    fn labs<'a>(&'a self, entry: &'a Entry) -> &'a [String] {
        if entry.labs.is_empty() { &self.plan.labs } else { &entry.labs }
    }

    fn run(&self, submissions: &Path, workspace: &Path, more: &[&str]) -> Option<Results> {
        let out = home().join(format!("results-{}", self.name));
        fs::remove_dir_all(&out).ok();
        let mut command = Command::new(env!("CARGO_BIN_EXE_grader"));
        command.arg("grade").arg(submissions).args(more).current_dir(workspace);
        command.arg("--slots").arg(self.slots).arg("-o").arg(&out).args(["--secret", SECRET]);
        command.args(["--seeds", &self.plan.seeds.to_string(), "--time-out", "60"]);
        command.args(["--format", "json,csv,html,junit", "--allow-root"]);
        for lab in &self.plan.labs {
            command.args(["--labs", lab]);
        }
        if let Some(level) = self.level {
            command.args(["--protection", level.name()]);
        }
        if self.level == Some(Level::None) {
            command.arg("--unsafe-no-sandbox");
        }
        if self.plan.no_lint {
            command.arg("--no-lint");
        }
        for test in &self.plan.only {
            command.args(["--only", test]);
        }
        let before = cpu_of_children();
        let output = command.stdin(Stdio::null()).output().expect("it runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        let is_entered = self.level.is_none() || !errors.contains(NOT_ENTERED);
        if errors.contains(NOT_GRANTED) || !is_entered {
            eprintln!("skipped: {errors}");
            return None;
        }
        left::check_outputs(&output.stdout, &out);
        left::check_machine(self.slots);
        let text = fs::read(out.join("results.json"));
        let text = text.unwrap_or_else(|error| panic!("results.json: {error}; {errors}"));
        let results: Value = serde_json::from_slice(&text).expect("it is JSON");
        let submissions = results["submissions"].as_array().expect("it is a list").clone();
        let protection = submissions[0]["with"]["protection"].as_str().unwrap_or_default();
        if self.level.is_some() {
            assert_eq!(Level::of(protection), self.level, "{protection}");
        }
        assert_eq!(output.status.code(), Some(exit_code(&submissions)), "{errors}");
        Some(Results { submissions, cpu_seconds: cpu_of_children() - before })
    }
}

/// The exit code that belongs to these results: what a submission lacks counts only if it is the
/// only one.
fn exit_code(submissions: &[Value]) -> i32 {
    if submissions.iter().any(|one| one["pending"] == true) {
        return 2;
    }
    let [one] = submissions else { return 0 };
    let labs = one["labs"].as_array().expect("it is a list");
    match labs.iter().map(|lab| &lab["obstacle"]).find(|obstacle| !obstacle.is_null()) {
        Some(obstacle) if obstacle.get("does-not-compile").is_some() => 3,
        Some(_) => 1,
        None => i32::from(one["score"].as_f64() < one["points"].as_f64()),
    }
}

/// A copy of the workspace with these edits.
fn changed_course(edits: &[Edit]) -> PathBuf {
    let copy = home().join("workspace");
    copy_workspace(&copy);
    for edit in edits {
        let path = copy.join(&edit.file);
        let text = make::replaced(&fs::read(&path).expect("it was copied"), edit);
        fs::write(path, text).expect("it can be written");
    }
    copy
}

/// Copies the files of the workspace, without what git ignores, into a repository of its own.
fn copy_workspace(to: &Path) {
    let git = |arguments: &[&str], directory: &Path| {
        let output = Command::new("git").args(arguments).current_dir(directory).output();
        let output = output.expect("git runs");
        assert!(output.status.success(), "git {arguments:?}");
        output.stdout
    };
    let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    fs::remove_dir_all(to).ok();
    for name in git(&list, workspace()).split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let name = std::str::from_utf8(name).expect("it is UTF-8");
        let (from, to) = (workspace().join(name), to.join(name));
        if from.is_file() {
            fs::create_dir_all(to.parent().expect("it is below")).expect("it can be created");
            fs::copy(from, to).expect("it can be copied");
        }
    }
    git(&["init", "-q"], to);
}

/// Seconds of processor time of all processes that have ended below this one.
fn cpu_of_children() -> f64 {
    const TICKS: f64 = 100.0; // USER_HZ, the same on all of Linux's architectures.
    let stat = fs::read_to_string("/proc/self/stat").expect("Linux has it");
    let fields = stat.rsplit_once(") ").expect("it has a name in brackets").1;
    let field = |number: usize| -> f64 {
        let text = fields.split(' ').nth(number - 3).expect("it is long");
        text.parse().expect("it is a number")
    };
    (field(16) + field(17)) / TICKS
}
