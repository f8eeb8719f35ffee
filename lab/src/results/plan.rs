//! The plan of a stress run, stored so that an interrupted run can be resumed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader};
use std::ops::Range;
use std::path::Path;

use contract::record::Run;
use contract::settings::Policy;
use judge::{Error, TestCase};
use serde::{Deserialize, Serialize};

use super::run_dir::{self, RunDir};

/// A command resumes an unfinished run with an equal plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// Incremented when a field changes its meaning.
    pub(crate) version: u32,
    pub(crate) tests: Vec<String>,
    /// Hashes of the builds by lab: results of another build prove nothing about this one.
    pub(crate) builds: BTreeMap<String, String>,
    pub(crate) policy: Option<Policy>,
    /// The number of seeds per test.
    pub(crate) runs: u64,
    /// The seeds, if the command line sets them.
    pub(crate) seeds: Option<Range<u64>>,
    /// `2/4`: the second of four shards.
    pub(crate) shard: Option<String>,
    /// What follows the first round: `once`, `loop` or `until-fail`.
    pub(crate) rounds: String,
}

/// A plan with the seeds that were drawn for it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Stored {
    pub(crate) plan: Plan,
    /// The seeds of the first round, before sharding.
    pub(crate) first_seeds: Range<u64>,
}

/// The version of [`Plan`].
pub(crate) const VERSION: u32 = 2;

impl Plan {
    /// The hashes of the builds that contain these tests.
    pub(crate) fn builds(cases: &[TestCase]) -> BTreeMap<String, String> {
        cases.iter().map(|case| (case.lab.clone(), case.build.hash().to_string())).collect()
    }
}

impl Stored {
    /// Writes the plan into a new directory.
    pub(crate) fn write(&self, directory: &RunDir) -> Result<(), Error> {
        run_dir::write_json(&directory.path().join("plan.json"), self)
    }

    /// The plan of an earlier run; `None` if there is no plan of this version.
    pub(crate) fn read(directory: &Path) -> Option<Self> {
        let file = File::open(directory.join("plan.json")).ok()?;
        serde_json::from_reader::<_, Self>(file)
            .ok()
            .filter(|stored| stored.plan.version == VERSION)
    }
}

/// Opens the latest unfinished run with this plan that no other process uses.
pub(crate) fn unfinished(parent: &Path, plan: &Plan) -> Result<Option<(RunDir, Stored)>, Error> {
    for path in run_dir::list(parent) {
        let Some(stored) = Stored::read(&path) else { continue };
        if stored.plan == *plan
            && !path.join("summary.json").exists()
            && let Some(directory) = RunDir::open(&path)?
        {
            return Ok(Some((directory, stored)));
        }
    }
    Ok(None)
}

/// Passes every finished run of a directory to `each`. Returns the number of bytes of these runs:
/// the rest of the file is an incomplete line.
pub(crate) fn finished_runs(directory: &Path, mut each: impl FnMut(Run)) -> Result<u64, Error> {
    let path = directory.join("runs.jsonl");
    let Ok(file) = File::open(&path) else { return Ok(0) };
    let (mut reader, mut line, mut whole) = (BufReader::new(file), Vec::new(), 0);
    while reader.read_until(b'\n', &mut line).map_err(Error::file("read", &path))? > 0 {
        if !line.ends_with(b"\n") {
            break;
        }
        whole += line.len() as u64;
        if let Ok(result) = serde_json::from_slice(&line) {
            each(result);
        }
        line.clear();
    }
    Ok(whole)
}

/// Removes an incomplete line, so that lines can be appended again.
pub(crate) fn trim(directory: &Path, length: u64) -> Result<(), Error> {
    let path = directory.join("runs.jsonl");
    if path.metadata().is_ok_and(|data| data.len() > length) {
        let file = OpenOptions::new().write(true).open(&path);
        file.and_then(|file| file.set_len(length)).map_err(Error::file("write", &path))?;
    }
    Ok(())
}

/// The finished seeds of each test.
pub(crate) type Done = Vec<BTreeSet<u64>>;
