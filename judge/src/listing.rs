//! The list of the tests in a test binary.

use std::path::Path;
use std::process::Command;

use contract::settings::forget_settings;

/// Commands that list all tests of a binary and those that are ignored. No test runs.
pub(crate) fn list_commands(tests: &Path, directory: &Path) -> [Command; 2] {
    [&[][..], &["--ignored"][..]].map(|flags| {
        let mut command = Command::new(tests);
        forget_settings(&mut command).args(["--list", "--format", "terse"]).args(flags);
        command.current_dir(directory);
        command
    })
}

/// The names in the first list that are not in the second.
pub(crate) fn without_ignored(all: &str, ignored: &str) -> Vec<String> {
    let names = |list: &str| -> Vec<String> {
        list.lines().filter_map(|line| line.strip_suffix(": test")).map(String::from).collect()
    };
    let (mut all, ignored) = (names(all), names(ignored));
    all.retain(|name| !ignored.contains(name));
    all
}
