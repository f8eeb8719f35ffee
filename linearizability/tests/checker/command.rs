//! The example `check`, as a program.

use std::path::PathBuf;
use std::process::Command;

/// A linearizable key/value history.
const KV_OK: &str = r#"
{:process 0, :type :invoke, :f :append, :key "7", :value "x 0 0 y"}
{:process 1, :type :invoke, :f :get, :key "7", :value nil}
{:process 0, :type :ok, :f :append, :key "7", :value "x 0 0 y"}
{:process 1, :type :ok, :f :get, :key "7", :value ""}
"#;

/// An append is lost.
const KV_BAD: &str = r#"
{:process 0, :type :invoke, :f :append, :key "7", :value "x 0 0 y"}
{:process 0, :type :ok, :f :append, :key "7", :value "x 0 0 y"}
{:process 1, :type :invoke, :f :get, :key "7", :value nil}
{:process 1, :type :ok, :f :get, :key "7", :value ""}
"#;

/// A write that timed out takes effect after a read; a failed compare-and-set does not.
const REGISTER_OK: &str = "\
INFO  jepsen.core - Worker 0 starting
INFO  jepsen.util - 0\t:invoke\t:write\t3
INFO  jepsen.util - 0\t:info\t:write\t:timed-out
INFO  jepsen.util - :nemesis\t:info\t:start\tnil
INFO  jepsen.util - 1\t:invoke\t:cas\t[4 5]
INFO  jepsen.util - 1\t:fail\t:cas\t[4 5]
INFO  jepsen.util - 1\t:invoke\t:read\tnil
INFO  jepsen.util - 1\t:ok\t:read\tnil
INFO  jepsen.util - 2\t:invoke\t:read\tnil
INFO  jepsen.util - 2\t:fail\t:read\t:timed-out
INFO  jepsen.util - 1\t:invoke\t:read\tnil
INFO  jepsen.util - 1\t:ok\t:read\t3
";

/// A compare-and-set failed though it cannot have failed.
const REGISTER_BAD: &str = "\
INFO  jepsen.util - 0\t:invoke\t:write\t4
INFO  jepsen.util - 0\t:ok\t:write\t4
INFO  jepsen.util - 1\t:invoke\t:cas\t[4 5]
INFO  jepsen.util - 1\t:fail\t:cas\t[4 5]
";

/// Blanks instead of tabs between the columns, as many as line them up.
const REGISTER_WITH_BLANKS: &str = "\
INFO  jepsen.util - 1   :invoke :write  3
INFO  jepsen.util - 2   :invoke :cas    [3 1]
INFO  jepsen.util - 1   :ok     :write  3
INFO  jepsen.util - 2   :ok     :cas    [3 1]
INFO  jepsen.util - 0   :invoke :read   nil
INFO  jepsen.util - 0   :ok     :read   1
INFO  jepsen.util - 4   :invoke :read   nil
INFO  jepsen.util - 4   :info   :read   :timed-out
";

/// What a run of the command left behind.
struct Output {
    /// Standard output.
    stdout: String,
    /// Standard error.
    stderr: String,
    /// Exit code.
    code: i32,
}

/// Runs the command.
fn run(args: &[&str]) -> Output {
    let mut program = std::env::current_exe().expect("a test knows its program");
    // From target/PROFILE/deps/checker-HASH to target/PROFILE/examples/check.
    program.pop();
    program.pop();
    program.extend(["examples", "check"]);
    program.set_extension(std::env::consts::EXE_EXTENSION);
    assert!(program.exists(), "{program:?} is not built: run all tests, or build the examples");
    let output = Command::new(program).args(args).output().expect("the program can be run");
    Output {
        stdout: String::from_utf8(output.stdout).expect("output is text"),
        stderr: String::from_utf8(output.stderr).expect("output is text"),
        code: output.status.code().expect("the program ends by itself"),
    }
}

/// Writes a history to a file of its own.
fn file(name: &str, text: &str) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).expect("the directory for tests is writable");
    path.into_os_string().into_string().expect("the path is text")
}

/// The printed results, one a file.
fn results(output: &Output) -> Vec<&str> {
    output.stdout.lines().filter_map(|line| line.split(' ').rev().nth(1)).collect()
}

/// Both formats are recognised, one line is printed for each file, and illegal is worse than ok.
#[test]
fn reads_both_formats() {
    let kv_ok = file("kv-ok.txt", KV_OK);
    let register_ok = file("register-ok.log", REGISTER_OK);
    let output = run(&[&kv_ok, &register_ok]);
    assert_eq!((results(&output), output.code), (vec!["ok", "ok"], 0), "{}", output.stderr);
    assert!(output.stdout.starts_with(&format!("{kv_ok} ok 0.")), "{}", output.stdout);
    let kv_bad = file("kv-bad.txt", KV_BAD);
    let register_bad = file("register-bad.log", REGISTER_BAD);
    let output = run(&[&kv_bad, &kv_ok, &register_bad]);
    assert_eq!((results(&output), output.code), (vec!["illegal", "ok", "illegal"], 1));
}

/// The columns of a Jepsen log may be separated by blanks, and a column may follow the value.
#[test]
fn columns_may_be_separated_by_blanks() {
    let ok = file("blanks-ok.log", REGISTER_WITH_BLANKS);
    let stale = REGISTER_WITH_BLANKS.replace(":ok     :read   1", ":ok     :read   0");
    let bad = file("blanks-bad.log", &stale);
    let output = run(&[&ok, &bad]);
    assert_eq!((results(&output), output.code), (vec!["ok", "illegal"], 1), "{}", output.stderr);
    for (separator, name) in [("\t", "tabs"), (" ", "blanks")] {
        let log = "INFO  jepsen.util - 3|:invoke|:cas|[ 4  5 ]\n\
                   INFO  jepsen.util - 3|:fail|:cas|[4 5]|:not-found\n";
        let log = file(&format!("extra-column-{name}.log"), &log.replace('|', separator));
        let short = "INFO  jepsen.util - 3|:invoke|:read\n".replace('|', separator);
        let short = file(&format!("no-value-{name}.log"), &short);
        let output = run(&[&log, &short]);
        assert_eq!((results(&output), output.code), (vec!["ok"], 5), "{name}: {}", output.stderr);
        assert!(output.stderr.contains("value expected"), "{name}: {}", output.stderr);
    }
}

/// With `-v` the contradiction is shown.
#[test]
fn verbose_shows_the_window() {
    let output = run(&["-v", &file("kv-bad-verbose.txt", KV_BAD)]);
    let picture = "\
C0  |-append(7, \"x 0 0 y\")-|
C1                            |-get(7) -> \"\"-|
";
    assert!(output.stdout.contains(picture), "{}", output.stdout);
    assert_eq!(output.code, 1);
}

/// A file that cannot be read or makes no sense is reported with its line, and the others are
/// checked nevertheless.
#[test]
fn bad_files_do_not_stop_the_rest() {
    let truncated = file("truncated.txt", &KV_OK[..KV_OK.len() - 8]);
    let nothing = file("nothing.txt", "hello\n");
    let unasked = file("unasked.log", "INFO  jepsen.util - 0\t:ok\t:write\t4\n");
    let kv_bad = file("kv-bad-last.txt", KV_BAD);
    let output = run(&["no-such-file", &truncated, &nothing, &unasked, &kv_bad]);
    assert_eq!((results(&output), output.code), (vec!["illegal"], 5));
    let errors: Vec<&str> = output.stderr.lines().collect();
    assert_eq!(errors.len(), 4, "{errors:?}");
    assert!(errors[0].starts_with("no-such-file: "));
    assert_eq!(errors[1], format!("{truncated}: line 5: '}}' expected at the end"));
    assert!(errors[2].starts_with(&format!("{nothing}: line 1: ")));
    assert!(errors[3].starts_with(&format!("{unasked}: line 1: ")));
}

/// A limit makes the result unknown.
#[test]
fn limits_make_results_unknown() {
    let kv_ok = file("kv-limited.txt", KV_OK);
    for limit in ["--configurations", "--memory", "--time"] {
        let output = run(&["-v", limit, "0", &kv_ok]);
        assert!(output.stdout.contains(" unknown "), "{limit}: {}", output.stdout);
        assert!(output.stdout.contains("is undecided"), "{limit}: {}", output.stdout);
        assert_eq!(output.code, 2, "{limit}");
    }
}

/// Help is not an error; wrong usage is.
#[test]
fn usage() {
    let output = run(&["--help"]);
    assert!(output.stdout.contains("usage: check") && output.code == 0);
    for args in [&[][..], &["--frob", "x"], &["--memory"], &["--memory", "much", "x"]] {
        let output = run(args);
        assert!(output.stderr.contains("usage: check") && output.code == 5, "{args:?}");
        assert!(output.stdout.is_empty());
    }
}
