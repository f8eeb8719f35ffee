//! What cargo and the compiler say about a build.

use std::path::PathBuf;
use std::process::ExitStatus;

use serde::Deserialize;

/// The target name for a package's unit tests.
pub(crate) const LIBRARY: &str = "lib";

/// The maximum number of bytes of diagnostics to keep.
pub(crate) const DIAGNOSTICS: usize = 1 << 20;

/// The files that cargo reports as built.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Artifacts {
    pub(crate) tests: Option<(PathBuf, PathBuf)>,
    pub(crate) programs: Vec<PathBuf>,
    pub(crate) has_compiled: bool,
}

/// One of cargo's messages.
#[derive(Deserialize)]
pub(crate) struct Message {
    reason: String,
    target: Option<Target>,
    manifest_path: Option<PathBuf>,
    executable: Option<PathBuf>,
    pub(crate) message: Option<Diagnostic>,
}

/// What the compiler says.
#[derive(Deserialize)]
pub(crate) struct Diagnostic {
    pub(crate) rendered: Option<String>,
}

/// The end of a build.
pub(crate) struct Built {
    /// Whether cargo succeeded; `Err` if it was stopped, with the reason.
    pub(crate) status: Result<ExitStatus, String>,
    pub(crate) messages: String,
    pub(crate) diagnostics: String,
}

/// The target that a message is about.
#[derive(Deserialize)]
struct Target {
    name: String,
    /// `bin`, `test`, ...
    kind: Vec<String>,
}

/// The tests and programs in cargo's messages.
pub(crate) fn artifacts(messages: &str, tests: &str) -> Artifacts {
    let mut found = Artifacts::default();
    for line in messages.lines() {
        let Ok(message) = serde_json::from_str::<Message>(line) else { continue };
        found.has_compiled |= message.reason == "build-finished";
        let (Some(target), Some(path)) = (message.target, message.executable) else { continue };
        let is = |kind: &str| target.kind.iter().any(|it| it == kind);
        if is("bin") && !is("test") && tests != LIBRARY {
            found.programs.push(path);
        } else if (tests == LIBRARY && is(LIBRARY)) || (target.name == tests && is("test")) {
            found.tests = message.manifest_path.map(|manifest| (path, manifest));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A message of cargo.
    fn message(name: &str, kind: &str, path: &str) -> String {
        format!(
            "{{\"reason\":\"compiler-artifact\",\"manifest_path\":\"/m/Cargo.toml\",\
             \"target\":{{\"name\":\"{name}\",\"kind\":[\"{kind}\"]}},\"executable\":{path}}}\n"
        )
    }

    #[test]
    fn artifacts_are_found_among_messages_and_warnings() {
        let output = "warning: unused\n".to_string()
            + &message("mapreduce", "lib", "null")
            + &message("mrworker", "bin", "\"/w\"")
            + &message("grading", "test", "\"/t\"")
            + "{\"reason\":\"build-finished\",\"success\":true}\n";
        let expected = Artifacts {
            tests: Some(("/t".into(), "/m/Cargo.toml".into())),
            programs: vec!["/w".into()],
            has_compiled: true,
        };
        assert_eq!(artifacts(&output, "grading"), expected);
        assert_eq!(artifacts("{}\n", "grading"), Artifacts::default());
        let unit = message("labrpc", "lib", "\"/u\"") + &message("x", "bin", "\"/x\"");
        let found = artifacts(&unit, LIBRARY);
        assert_eq!((found.tests.unwrap().0, found.programs.len()), ("/u".into(), 0));
    }
}
