//! The full name of a test, which follows from the path of its source.

use std::panic::Location;

/// A grading test's full name, taken from the path of its source,
/// `raft/tests/grading/election_2a.rs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TestPath {
    /// `raft`.
    pub(crate) package: String,
    /// `grading`.
    pub(crate) target: String,
    /// `election_2a::initial_election_2a`.
    pub(crate) path: String,
}

impl TestPath {
    /// The path of the test with this name that is written at `location`.
    pub(crate) fn new(location: &Location<'_>, test: &str) -> Self {
        Self::of_file(location.file(), test)
    }

    /// The path of a test in this source.
    fn of_file(file: &str, test: &str) -> Self {
        let parts: Vec<&str> = file.trim_end_matches(".rs").split(['/', '\\']).collect();
        let tests = parts.iter().rposition(|part| *part == "tests").unwrap_or(0);
        let package = tests.checked_sub(1).map_or("", |i| parts[i]);
        let below = &parts[(tests + 1).min(parts.len())..];
        let (target, modules) = below.split_first().map_or(("", below), |(t, rest)| (*t, rest));
        let modules = modules.iter().filter(|module| **module != "main");
        let path: Vec<&str> = modules.copied().chain([test]).collect();
        Self { package: package.into(), target: target.into(), path: path.join("::") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Package, target and path of the test `t_2a` in a file.
    fn path(file: &str) -> (String, String, String) {
        let TestPath { package, target, path } = TestPath::of_file(file, "t_2a");
        (package, target, path)
    }

    #[test]
    fn names_come_from_the_path_of_the_source() {
        let expected = |path: &str| ("raft".into(), "grading".into(), path.to_string());
        assert_eq!(path("raft/tests/grading/election_2a.rs"), expected("election_2a::t_2a"));
        assert_eq!(path("raft\\tests\\grading\\election_2a.rs"), expected("election_2a::t_2a"));
        assert_eq!(path("/any/where/raft/tests/grading/main.rs"), expected("t_2a"));
        assert_eq!(path("raft/tests/grading.rs"), expected("t_2a"));
    }
}
