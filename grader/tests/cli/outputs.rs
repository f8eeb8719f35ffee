//! `diff` and `merge`, and the files that `merge` writes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

/// A panic message that attacks terminals and pages.
const MESSAGE: &str = "\u{1b}[2J\0 <script>alert(1)</script> ]]>";

/// The result of a submission with one test, which failed in `failed` of 20 runs.
fn result(id: &str, plan: &str, failed: u32) -> Value {
    let score = 10.0 - 2.0 * f64::from(failed);
    let failures: Vec<Value> = (0..failed)
        .map(|seed| {
            json!({
                "seed": seed, "policy": "stall", "kind": "panic", "property": MESSAGE,
                "actual": MESSAGE, "report": MESSAGE, "trace_hash": "00",
                "replay": format!("cargo lab replay figure8_2c {seed}:stall"),
            })
        })
        .collect();
    let test = json!({
        "test": "figure8_2c", "claim": "Committed entries stay.", "score": score, "points": 10,
        "seeds": (0..20).collect::<Vec<u64>>(), "failed": failed, "unknown": 0, "prevented": 0,
        "cpu_seconds": 0.1, "failures": failures,
    });
    let part = json!({
        "part": "2C", "title": "Persistence", "score": score, "points": 10, "tests": [test],
    });
    let lab = json!({
        "lab": "raft", "title": "Lab 2, Raft", "score": score, "points": 10, "obstacle": null,
        "findings": [], "parts": [part],
    });
    json!({
        "schema": 1, "id": id, "tree": format!("tree of {id}"), "key": format!("tree of {id} {plan}"),
        "with": {
            "version": "0.1.0", "release": "5eed", "compiler": "rustc", "protection": "none",
            "reference": [],
        },
        "score": score, "points": 10, "pending": false, "refused": null, "ignored": [],
        "cpu_seconds": 2.0, "build_seconds": 1.0, "labs": [lab],
    })
}

/// Directories of results.
struct Results(TempDir);

impl Results {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("there is room for a directory"))
    }

    /// Adds a result to a directory.
    fn add(&self, directory: &str, file: &str, result: &Value) {
        let directory = self.path(directory);
        fs::create_dir_all(&directory).expect("a directory can be created");
        fs::write(directory.join(file), result.to_string()).expect("a file can be written");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_grader"));
        let command = command.args(arguments).current_dir(self.0.path());
        let Output { status, stdout, stderr } = command.output().expect("the grader can be run");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the grader prints text");
        (status.code().expect("no signal ends the grader"), text(stdout), text(stderr))
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).expect("the file exists")
}

#[test]
fn diff_names_the_tests_that_change_a_score() {
    let results = Results::new();
    results.add("old", "alice.json", &result("alice", "plan", 3));
    results.add("old", "bob.json", &result("bob", "plan", 0));
    results.add("new", "alice.json", &result("alice", "plan", 1));
    results.add("new", "bob.json", &result("bob", "plan", 0));
    let (code, out, _) = results.run(&["diff", "old", "new"]);
    assert_eq!(code, 1);
    let lines =
        "alice  4 -> 8\n  figure8_2c: 4 -> 8 (3 of 20 runs failed -> 1 of 20 runs failed)\n";
    assert!(out.starts_with(lines), "{out}");
    assert!(!out.contains("bob"), "{out}");
    results.add("new", "carol.json", &result("carol", "plan", 0));
    let (code, out, _) = results.run(&["diff", "old", "new"]);
    assert!(code == 1 && out.contains("carol  only in the new results"), "{out}");
    let (code, out, _) = results.run(&["diff", "old", "old"]);
    assert!(code == 0 && out.starts_with("0 differ;"), "{out}");
    assert_eq!(results.run(&["diff", "old", "."]).0, 4);
}

#[test]
fn merge_joins_shards_and_writes_the_outputs() {
    let results = Results::new();
    results.add("one", "alice.json", &result("alice", "plan", 1));
    results.add("two", "bob.json", &result("bob", "plan", 0));
    results.add("two", "~3dcmd.json", &result("=cmd", "plan", 5));
    results.add("two", "alice.json", &result("alice", "plan", 1)); // The shard ran again.
    let picture = "submissions/bob.pictures/figure8_2c.html";
    let path = results.path("two").join(picture);
    fs::create_dir_all(path.parent().expect("it is below a directory")).expect("it can be created");
    fs::write(path, "a picture").expect("it can be written");
    let formats = "json,csv,html,junit";
    let (code, _, err) = results.run(&["merge", "one", "two", "-o", "all", "--format", formats]);
    assert_eq!((code, &*err), (0, ""));
    for name in
        ["alice.json", "bob.json", "~3dcmd.json", "index.html", "submissions/alice.html", picture]
    {
        assert!(results.path("all").join(name).is_file(), "{name}");
    }
    let all = results.path("all");
    let class: Value = serde_json::from_str(&read(&all.join("results.json"))).unwrap();
    let ids: Vec<&str> = class["submissions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["=cmd", "alice", "bob"]);
    assert!(read(&all.join("results.csv")).contains("\r\n'=cmd,"));
    for name in ["index.html", "submissions/alice.html", "submissions/~3dcmd.html", "junit.xml"] {
        let text = read(&all.join(name));
        assert!(!text.contains("<script>alert") && !text.contains(['\0', '\u{1b}']), "{name}");
    }
    // The joined file is a result, too.
    assert_eq!(results.run(&["diff", "all", "all/results.json"]).0, 0);
    assert_eq!(results.run(&["merge", "all/results.json", "-o", "again"]).0, 0);
    assert_eq!(results.run(&["diff", "all", "again"]).0, 0);
}

#[test]
fn merge_replaces_the_pictures_that_were_there() {
    let results = Results::new();
    results.add("one", "alice.json", &result("alice", "plan", 1));
    results.add("one", "bob.json", &result("bob", "plan", 1));
    let add = |directory: &str, id: &str, name: &str| {
        let path = results.path(directory).join(format!("submissions/{id}.pictures/{name}.html"));
        fs::create_dir_all(path.parent().expect("it has a parent")).expect("it can be created");
        fs::write(&path, "a picture").expect("it can be written");
        path
    };
    add("one", "alice", "new_2a");
    let earlier = [add("all", "alice", "old_2a"), add("all", "bob", "old_2a")];
    let new = results.path("all").join("submissions/alice.pictures/new_2a.html");
    assert_eq!(results.run(&["merge", "one", "-o", "all"]).0, 0);
    assert!(new.is_file() && earlier.iter().all(|path| !path.exists()));
    // A directory that is joined with itself keeps them.
    assert_eq!(results.run(&["merge", "all", "-o", "all"]).0, 0);
    assert!(new.is_file());
}

#[test]
fn merge_refuses_what_does_not_belong_together() {
    let results = Results::new();
    results.add("one", "alice.json", &result("alice", "seeds=20", 1));
    results.add("two", "bob.json", &result("bob", "seeds=3", 0));
    results.add("three", "alice.json", &result("alice", "seeds=20", 2));
    results.add("four", "bob.json", &result("bob", "seeds=20", 0));
    let refused = |arguments: &[&str], reason: &str| {
        let (code, out, err) = results.run(arguments);
        assert_eq!((code, &*out), (5, ""));
        assert!(err.contains(reason), "{err}");
    };
    refused(&["merge", "one", "two", "-o", "all"], "one and two were graded differently");
    refused(
        &["merge", "one", "three", "-o", "all"],
        "\"alice\" has different results in one and three",
    );
    refused(&["merge", "one", "-o", "four"], "four has a result of \"bob\"");
    refused(&["merge", "one", "-o", "all", "--format", "pdf"], "invalid value 'pdf'");
    assert!(!results.path("all").exists());
    results.add("five", "mallory.json", &result("../../mallory", "seeds=20", 0));
    refused(&["merge", "five", "-o", "all"], "contains the result of \"../../mallory\"");
}
