//! Checks that grading leaves nothing on the machine, and that no output contains what a
//! submission says unescaped.

use std::fs;
use std::path::{Path, PathBuf};

/// Every file and process that a submission of the corpus leaves has this in its name or in its
/// arguments.
const MARK: &str = "98765";

/// Directories to which all users can write, and the ones that Gradescope reads.
const PUBLIC: [&str; 4] = ["/tmp", "/var/tmp", "/dev/shm", "/autograder/results"];

/// No processes, sockets, mounts, copies or temporary files.
pub(crate) fn check_machine(slots: &Path) {
    let slots = slots.canonicalize().expect("it exists");
    let text = &format!("{}/", slots.to_str().expect("it is UTF-8"));
    assert_eq!(processes_with(text), [""; 0]);
    assert_eq!(processes_with(MARK), [""; 0]);
    for table in ["/proc/self/mountinfo", "/proc/net/unix"] {
        let lines = fs::read_to_string(table).expect("Linux has it");
        let line = lines.lines().find(|line| line.contains(text));
        assert_eq!(line, None, "{table}");
    }
    for slot in fs::read_dir(&slots).expect("it exists").flatten() {
        let left = slot.path().join("tmp").read_dir().map_or(0, Iterator::count);
        assert_eq!(left, 0, "temporary files are left");
        assert!(!slot.path().join("builds").exists(), "copies are left");
    }
    for directory in PUBLIC {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            let name = entry.file_name();
            assert!(!name.to_string_lossy().contains(MARK), "{}", entry.path().display());
        }
    }
}

/// The command lines of running processes that contain `text`, without this one's.
fn processes_with(text: &str) -> Vec<String> {
    let entries = fs::read_dir("/proc").expect("Linux has it").flatten();
    let lines = entries.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.filter(|line| line.contains(text)).collect()
}

/// What a submission says acts on no program that shows it.
pub(crate) fn check_outputs(printed: &[u8], out: &Path) {
    assert!(!printed.contains(&0x1b), "{}", String::from_utf8_lossy(printed));
    for file in files(out) {
        let text = fs::read_to_string(&file).expect("it is UTF-8");
        let file = file.display();
        assert!(!text.contains('\x1b'), "{file} has an escape sequence");
        let end = file.to_string();
        if end.ends_with(".html") || end.ends_with(".xml") {
            assert!(!text.contains("<script>alert"), "{file} has a script of a submission");
        }
        if end.ends_with(".csv") {
            let formula = |cell: &str| cell.trim_matches('"').starts_with(['=', '+', '@']);
            let line = text.lines().find(|line| line.split(',').any(formula));
            assert_eq!(line, None, "{file} has a formula");
        }
    }
}

/// All files below a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}
