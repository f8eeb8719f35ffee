//! Has cargo build a lab's tests, once, and says which program came out.

use std::fs::File;
use std::hash::Hasher as _;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;
use signal_hook::consts::SIGINT;

use crate::catalog::Lab;
use crate::error::Error;
use crate::term;
use crate::workspace::Workspace;

/// How to build.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Profile {
    /// With all optimizations.
    pub(crate) release: bool,
}

/// A built test binary.
#[derive(Clone, Debug)]
pub(crate) struct Binary {
    /// The program.
    pub(crate) path: PathBuf,
    /// Where cargo would run it.
    pub(crate) directory: PathBuf,
    /// Differs whenever the program differs.
    pub(crate) hash: String,
    /// Its tests: `election_2a::initial_election_2a`.
    pub(crate) tests: Vec<String>,
}

/// What we read of cargo's messages.
#[derive(Deserialize)]
struct Message {
    /// What kind of message it is.
    reason: String,
    /// What was built.
    target: Option<Target>,
    /// The manifest of what was built.
    manifest_path: Option<PathBuf>,
    /// The program that came out.
    executable: Option<PathBuf>,
}

/// What was built.
#[derive(Deserialize)]
struct Target {
    /// Its name in the manifest.
    name: String,
    /// `test`, `lib`, ...
    kind: Vec<String>,
}

/// The target that stands for a package's unit tests.
const LIBRARY: &str = "lib";

impl Target {
    /// Whether it is the one that `lab/labs.toml` calls `name`.
    fn is(&self, name: &str) -> bool {
        let kind = if name == LIBRARY { LIBRARY } else { "test" };
        (name == LIBRARY || self.name == name) && self.kind.iter().any(|it| it == kind)
    }
}

/// Builds the tests of `lab`. Cargo's own output goes to standard error.
///
/// # Errors
/// If the code does not compile, or cargo cannot be run.
pub(crate) fn compile(workspace: &Workspace, lab: &Lab, profile: Profile) -> Result<Binary, Error> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["test", "-p", &lab.name, "--no-run"]);
    match lab.target.as_str() {
        LIBRARY => cargo.arg("--lib"),
        target => cargo.args(["--test", target]),
    };
    if profile.release {
        cargo.arg("--release");
    }
    term::echo(&cargo);
    cargo.arg("--message-format=json-render-diagnostics").current_dir(workspace.root());
    let mut child = cargo.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(|error| {
        Error::harness(format!("cannot run cargo: {error}; is it on your PATH?"))
    })?;
    let (mut found, mut has_compiled) = (None, false);
    for line in child.stdout.take().into_iter().flat_map(|out| BufReader::new(out).lines()) {
        let line = line.map_err(|error| Error::harness(format!("cargo's output: {error}")))?;
        let Ok(message) = serde_json::from_str::<Message>(&line) else { continue };
        has_compiled |= message.reason == "build-finished";
        if let Some(target) = &message.target
            && target.is(&lab.target)
            && let (Some(path), Some(manifest)) = (message.executable, message.manifest_path)
        {
            found = Some((path, manifest));
        }
    }
    let status = child.wait().map_err(|error| Error::harness(format!("cargo: {error}")))?;
    match found {
        Some((path, manifest)) if status.success() => {
            let directory = manifest.parent().unwrap_or(workspace.root()).to_path_buf();
            let hash = hash_of(&path)?;
            let tests = tests_of(&path, &directory)?;
            Ok(Binary { path, directory, hash, tests })
        }
        _ if status.signal() == Some(SIGINT) => Err(Error::Interrupted),
        _ if !status.success() && has_compiled => Err(Error::DoesNotCompile(lab.name.clone())),
        _ => Err(Error::harness(format!(
            "cargo built no test target '{}' of package '{}' ({status}), see above; \
             lab/labs.toml says that there is one",
            lab.target, lab.name
        ))),
    }
}

/// A hash of a file, good enough to tell two builds apart.
#[expect(deprecated, reason = "its fixed keys are the point, and its speed")]
fn hash_of(path: &Path) -> Result<String, Error> {
    let mut file = File::open(path).map_err(Error::file("read", path))?;
    let mut hasher = std::hash::SipHasher::new();
    let mut block = vec![0; 1 << 16];
    loop {
        match file.read(&mut block).map_err(Error::file("read", path))? {
            0 => return Ok(format!("{:016x}", hasher.finish())),
            n => hasher.write(&block[..n]),
        }
    }
}

/// Asks a test binary for its tests. No test runs, hence no student code.
fn tests_of(path: &Path, directory: &Path) -> Result<Vec<String>, Error> {
    let output = Command::new(path)
        .args(["--list", "--format", "terse"])
        .current_dir(directory)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(Error::file("run", path))?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_string).collect())
}
