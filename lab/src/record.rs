//! The completion record: the line of JSON by which a test run says how it ended.
//!
//! It alone is believed. The exit code and everything that is printed come from a process in which
//! student code runs; the record carries a nonce that student code has never seen.

use std::fs::File;
use std::io::{BufRead as _, BufReader, ErrorKind};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::run_result::RunResult;

/// The version of the schema that we understand.
const VERSION: u32 = 1;

/// How a run is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    /// Everything was as promised.
    Pass,
    /// A promise was broken, or the run ended without a record.
    Fail,
    /// A promise was broken, and a replay of the seed went another way.
    Diverged,
    /// A checker gave up: neither passed nor failed.
    Unknown,
    /// The test does not run in this world.
    Skipped,
    /// The process was ended from outside, twice: the machine's fault.
    Harness,
}

impl Verdict {
    /// Whether it counts as a failure of the code.
    pub(crate) fn is_failure(self) -> bool {
        matches!(self, Verdict::Fail | Verdict::Diverged)
    }

    /// How it is printed.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Verdict::Pass => "PASS",
            Verdict::Fail => "FAIL",
            Verdict::Diverged => "DIVERGED",
            Verdict::Unknown => "UNKNOWN",
            Verdict::Skipped => "SKIPPED",
            Verdict::Harness => "HARNESS",
        }
    }
}

/// What a run cost, as the course's "Passed" line shows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Statistics {
    /// Servers.
    pub(crate) peers: u64,
    /// Calls made.
    pub(crate) rpcs: u64,
    /// Bytes sent and received.
    pub(crate) bytes: u64,
    /// Commands agreed on.
    pub(crate) commits: u64,
}

/// What we read of a completion record.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Record {
    /// The version of the schema.
    version: u32,
    /// What the starter of the process wrote into a pipe.
    pub(crate) nonce: String,
    /// How the run went.
    #[serde(flatten)]
    pub(crate) result: RunResult,
}

/// Reads the records of a process that has ended; a file that was never made holds none.
///
/// # Errors
/// If the file cannot be read, or its writer speaks another version of the schema.
pub(crate) fn read(path: &Path) -> Result<Vec<Record>, Error> {
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        file => file.map_err(Error::file("read", path))?,
    };
    let mut records = Vec::new();
    for line in BufReader::new(file).split(b'\n') {
        let line = line.map_err(Error::file("read", path))?;
        // Student code can write here too, so a line that makes no sense is nobody's fault.
        let Ok(record) = serde_json::from_slice::<Record>(&line) else { continue };
        if record.version != VERSION {
            return Err(Error::harness(format!(
                "the tests write records of version {}, this command reads version {VERSION}: \
                 both must come from the same tree",
                record.version
            )));
        }
        records.push(record);
    }
    Ok(records)
}
