//! The part of a backtrace that belongs to the labs: most frames are of the runtime, of the tests
//! or of std, and hide the few that matter.

use std::backtrace::Backtrace;
use std::env;
use std::path::Path;

/// Directories whose sources are not a solution's.
const FOREIGN: [&str; 6] =
    ["/rustc/", "/registry/src/", "/labrpc/", "/testkit/", "/tests/", "/linearizability/"];

/// The frames of this call stack in sources of the labs, innermost first: `function at
/// raft/src/raft.rs:57`.
pub(crate) fn own_frames() -> Vec<String> {
    let here = env::current_dir().unwrap_or_default();
    select(&Backtrace::force_capture().to_string(), &here)
}

/// All frames of this call stack, if `RUST_BACKTRACE=full` asks for them. No smaller value does: most
/// frames are of no use to the author of a solution, and many people always have `1` set.
pub(crate) fn all_frames() -> Option<String> {
    let is_wanted = env::var_os("RUST_BACKTRACE").is_some_and(|value| value == "full");
    is_wanted.then(|| Backtrace::force_capture().to_string())
}

/// The frames of a backtrace in sources of the labs. Paths in it are relative to the package, which
/// is `here`, or absolute.
fn select(backtrace: &str, here: &Path) -> Vec<String> {
    let mut function = "";
    let mut frames = Vec::new();
    for line in backtrace.lines().map(str::trim) {
        let Some(place) = line.strip_prefix("at ") else {
            function = line.split_once(": ").map_or(line, |(_, name)| name);
            continue;
        };
        let Some((file, line)) =
            place.rsplit_once(':').and_then(|(place, _)| place.rsplit_once(':'))
        else {
            continue;
        };
        let path = here.join(file.trim_start_matches("./"));
        let text = path.to_string_lossy();
        if text.contains("/src/") && !FOREIGN.iter().any(|foreign| text.contains(foreign)) {
            let root = here.parent().unwrap_or(here);
            let path = path.strip_prefix(root).unwrap_or(&path);
            frames.push(format!("{function} at {}:{line}", path.display()));
        }
    }
    frames
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_labs_are_selected_and_named_from_the_workspace() {
        let backtrace = "   0: core::panicking::panic_fmt
             at /rustc/5980/library/core/src/panicking.rs:80:14
   1: commit
             at ./src/raft.rs:57:9
   2: {closure#0}
             at /home/ada/labs/kvraft/src/server.rs:12:5
   3: call<(), ()>
             at /home/ada/labs/labrpc/src/node.rs:60:5
   4: basic_agree_2b
             at ./tests/grading/log_2b.rs:20:5
   5: encode<u8>
             at /home/ada/.cargo/registry/src/index.crates.io/bincode-2.0.1/src/lib.rs:7:1
";
        let frames = select(backtrace, Path::new("/home/ada/labs/raft"));
        let expected = ["commit at raft/src/raft.rs:57", "{closure#0} at kvraft/src/server.rs:12"];
        assert_eq!(frames, expected);
    }
}
