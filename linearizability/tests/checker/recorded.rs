//! Recorded histories, if there are any.

use linearizability::history_file::{self, HistoryFile};
use linearizability::{CasRegister, CheckResult, KvModel, Limits, check, explain};

/// Files in the directory `LAB_HISTORIES` whose names end in `-ok.txt` or `-bad.txt` get the
/// result that their name says, and no partition of them stays undecided.
#[test]
fn recorded_histories() {
    let Some(directory) = std::env::var_os("LAB_HISTORIES") else {
        // Past the test harness, which would swallow it.
        use std::io::Write;
        writeln!(std::io::stdout(), "skipped: LAB_HISTORIES is not set").ok();
        return;
    };
    let mut directories = vec![std::path::PathBuf::from(directory)];
    let mut files = Vec::new();
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(&directory).expect("LAB_HISTORIES names a directory") {
            let path = entry.expect("a directory can be listed").path();
            if path.is_dir() { directories.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    let mut checked = 0;
    for path in files {
        let name = path.to_string_lossy();
        let expected = match () {
            () if name.ends_with("-ok.txt") => CheckResult::Ok,
            () if name.ends_with("-bad.txt") => CheckResult::Illegal,
            () => continue,
        };
        let text = std::fs::read_to_string(&path).unwrap();
        let history = history_file::parse(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let limits = Limits::default();
        let (result, undecided) = match &history {
            HistoryFile::Kv(history) => {
                assert_eq!(check(&KvModel, history, &limits), expected, "{name}");
                let report = explain(&KvModel, history, &limits);
                let limits = report.partitions.iter().filter_map(|partition| partition.limit);
                (report.result(), limits.count())
            }
            HistoryFile::Register(history) => (check(&CasRegister, history, &limits), 0),
        };
        assert_eq!((result, undecided), (expected, 0), "{name}");
        checked += 1;
    }
    assert!(checked > 0, "LAB_HISTORIES has no files named *-ok.txt or *-bad.txt");
}
