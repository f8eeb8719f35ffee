//! `results.json`: the results of all submissions.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use judge::Error;
use serde::{Deserialize, Serialize};

use super::text::file_name;
use crate::grade::results::{Graded, VERSION};

/// The results of a class. `grader/schema/results.schema.json` describes them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Class {
    /// The version of this schema: another number means that a field was removed or has another
    /// meaning.
    pub(super) schema: u32,
    /// The submissions, in the order of their ids.
    pub(super) submissions: Vec<Graded>,
}

/// Files in a directory of results that contain no single result.
const OF_ALL: [&str; 2] = ["results.json", "gradescope.json"];

impl Class {
    /// These results, sorted.
    pub(super) fn new(mut submissions: Vec<Graded>) -> Self {
        submissions.sort_by(|a, b| a.id.cmp(&b.id));
        Self { schema: VERSION, submissions }
    }

    /// The results in a directory, which has a file per submission, or in a file `results.json`.
    ///
    /// # Errors
    /// If there is none, or one cannot be read.
    pub(super) fn read(path: &Path) -> Result<Self, Error> {
        if path.is_file() {
            return Self::read_file(path);
        }
        let submissions = in_directory(path)?;
        if submissions.is_empty() {
            let file = path.join(OF_ALL[0]);
            if file.is_file() {
                return Self::read_file(&file);
            }
            let problem = format!("{} contains no results", path.display());
            return Err(Error::NothingMatched(problem));
        }
        Ok(Self::new(submissions))
    }

    fn read_file(path: &Path) -> Result<Self, Error> {
        let text = fs::read(path).map_err(Error::file("read", path))?;
        let problem = |problem: String| Error::harness(format!("{}: {problem}", path.display()));
        let class: Self =
            serde_json::from_slice(&text).map_err(|error| problem(error.to_string()))?;
        if class.schema != VERSION {
            let found = class.schema;
            return Err(problem(format!("the version of its schema is {found}, not {VERSION}")));
        }
        Ok(class)
    }

    /// The file.
    ///
    /// # Errors
    /// Never in practice: all values can be written as JSON.
    pub(super) fn to_json(&self) -> Result<String, Error> {
        let text = serde_json::to_string_pretty(self);
        let text = text.map_err(|error| Error::harness(format!("{}: {error}", OF_ALL[0])))?;
        Ok(text + "\n")
    }

    /// What was graded with what, apart from the sources: one if all scores can be compared.
    pub(super) fn plans(&self) -> BTreeSet<&str> {
        self.submissions.iter().map(plan).collect()
    }
}

/// A result's key without the hash of the sources.
pub(super) fn plan(graded: &Graded) -> &str {
    graded.key.strip_prefix(&*graded.tree).unwrap_or(&graded.key).trim_start()
}

/// The results in the files of a directory; none if it does not exist.
pub(super) fn in_directory(path: &Path) -> Result<Vec<Graded>, Error> {
    let mut results = Vec::new();
    if !path.exists() {
        return Ok(results);
    }
    for entry in path.read_dir().map_err(Error::file("read", path))? {
        let path = entry.map_err(Error::file("read", path))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_json = path.extension().is_some_and(|extension| extension == "json");
        if is_json && !OF_ALL.contains(&&*name) && path.is_file() {
            let graded = Graded::read(&path)?;
            if name != file_name(&graded.id, "json") {
                let (path, id) = (path.display(), &graded.id);
                return Err(Error::harness(format!("{path} contains the result of {id:?}")));
            }
            results.push(graded);
        }
    }
    Ok(results)
}
