//! What a stress run is to do, written down so that an interrupted one can be resumed.

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

/// Two stress runs with equal plans are the same run, once interrupted and once resumed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// Raised whenever a field changes its meaning.
    pub(crate) version: u32,
    /// The tests.
    pub(crate) tests: Vec<String>,
    /// Hashes of the builds by lab: results of another build prove nothing about this one.
    pub(crate) builds: BTreeMap<String, String>,
    /// The policy.
    pub(crate) policy: Option<Policy>,
    /// How many seeds per test.
    pub(crate) runs: u64,
    /// The seeds, where they were asked for.
    pub(crate) seeds: Option<Range<u64>>,
    /// `2/4`: the second of four shards.
    pub(crate) shard: Option<String>,
    /// How it goes on after that: `once`, `loop` or `until-fail`.
    pub(crate) rounds: String,
}

/// A plan with the seed that was drawn for it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Stored {
    /// The plan.
    pub(crate) plan: Plan,
    /// The seeds of the first round, before sharding.
    pub(crate) first_seeds: Range<u64>,
}

/// The version of [`Plan`].
pub(crate) const VERSION: u32 = 2;

impl Plan {
    /// The hashes of the builds that hold these tests.
    pub(crate) fn builds(cases: &[TestCase]) -> BTreeMap<String, String> {
        cases.iter().map(|case| (case.lab.clone(), case.build.hash().to_string())).collect()
    }
}

impl Stored {
    /// Writes the plan into a fresh directory.
    pub(crate) fn write(&self, directory: &RunDir) -> Result<(), Error> {
        run_dir::write_json(&directory.path().join("plan.json"), self)
    }

    /// The plan of an earlier run; `None` if it has none that we understand.
    pub(crate) fn read(directory: &Path) -> Option<Self> {
        let file = File::open(directory.join("plan.json")).ok()?;
        serde_json::from_reader::<_, Self>(file)
            .ok()
            .filter(|stored| stored.plan.version == VERSION)
    }
}

/// Opens the latest unfinished run of this plan, if there is one that nobody else is at.
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

/// Hands every finished run of a directory to `each`. Returns how many bytes they take: what comes
/// behind them is a line that was cut off.
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

/// Drops a line that was cut off, so that lines can be appended again.
pub(crate) fn trim(directory: &Path, length: u64) -> Result<(), Error> {
    let path = directory.join("runs.jsonl");
    if path.metadata().is_ok_and(|data| data.len() > length) {
        let file = OpenOptions::new().write(true).open(&path);
        file.and_then(|file| file.set_len(length)).map_err(Error::file("write", &path))?;
    }
    Ok(())
}

/// The seeds that each test has finished.
pub(crate) type Done = Vec<BTreeSet<u64>>;
