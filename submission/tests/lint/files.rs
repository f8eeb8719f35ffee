//! Names that travel between files.

use crate::findings;

#[test]
fn a_re_export_in_another_file_is_followed() {
    let files = [
        ("lib.rs", "mod a;\nmod b;\n"),
        ("a.rs", "pub use std::sync as locks;\npub mod deep;\n"),
        ("a/deep.rs", "pub use super::locks as again;\n"),
        ("b.rs", "use crate::a::deep::again;\n\nfn f() {\n    again::Mutex::new(1);\n}\n"),
    ];
    assert_eq!(findings("raft", &files), ["b.rs:4 refused std::sync::Mutex::new"]);
}

#[test]
fn a_file_for_tests_is_only_flagged() {
    let tests = "use std::thread;\n";
    let files =
        [("lib.rs", "mod a;\n"), ("a.rs", "#[cfg(test)]\nmod tests;\n"), ("a/tests.rs", tests)];
    assert_eq!(findings("raft", &files), ["a/tests.rs:1 flagged std::thread"]);
    // A second declaration makes it part of every build.
    let files =
        [("lib.rs", "#[cfg(test)] mod tests;\n"), ("main.rs", "mod tests;\n"), ("tests.rs", tests)];
    assert_eq!(findings("raft", &files), ["tests.rs:1 refused std::thread"]);
    let files = [("lib.rs", ""), ("tests.rs", tests)];
    assert_eq!(findings("raft", &files), ["tests.rs:1 refused std::thread"]);
}

#[test]
fn a_macro_of_another_file_is_known() {
    let files = [
        ("lib.rs", "#[macro_use]\nmod m;\nfn f() { twice!(1); }\n"),
        ("m.rs", "macro_rules! twice { ($x:expr) => { 2 * $x }; }\n"),
    ];
    assert_eq!(findings("raft", &files), ["lib.rs:1 flagged #[macro_use]"]);
}

#[test]
fn a_macro_declares_no_file_for_tests() {
    let evil = ("evil.rs", "use std::thread;\n");
    let strip = "macro_rules! strip { (#[$m:meta] $($t:tt)*) => { $($t)* }; }\n";
    let code = format!("{strip}strip! {{ #[cfg(test)] mod evil; }}\n");
    assert_eq!(
        findings("raft", &[("lib.rs", &code), evil]),
        ["evil.rs:1 refused std::thread", "lib.rs:2 refused mod"]
    );
    let code = "macro_rules! load { () => { mod evil; }; }\nload!();\n#[cfg(test)] mod evil;\n";
    let found = findings("raft", &[("lib.rs", code), evil]);
    assert!(found.contains(&"lib.rs:1 refused mod".to_string()), "{found:?}");
    let code = "#[cfg(test)] mod evil;\n#[cfg(test)] mod evil;\n";
    let found = findings("raft", &[("lib.rs", code), evil]);
    assert_eq!(found, ["evil.rs:1 refused std::thread"]);
}
