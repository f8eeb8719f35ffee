//! Builds the selected tests.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use contract::record::Exit;
use judge::catalog::Lab;
use judge::{Build, Builder, Catalog, Error, Stop, TestCase, Workspace};

use crate::results;
use crate::select::Selection;
use crate::term;

/// The selected tests, as far as they could be built.
#[derive(Debug, Default)]
pub(crate) struct Built {
    /// The tests, in the order of the catalog.
    pub(crate) cases: Vec<TestCase>,
    /// Labs that do not compile. The tests of the other labs still run.
    broken: Vec<String>,
    /// Removed after the copies of the builds, if no run is kept.
    _runs: Runs,
}

/// The directory of all runs.
#[derive(Debug, Default)]
struct Runs(PathBuf);

impl Drop for Runs {
    fn drop(&mut self) {
        fs::remove_dir(&self.0).ok(); // Succeeds only if it is empty.
    }
}

impl Built {
    /// Builds the labs that are selected.
    ///
    /// # Errors
    /// If nothing is selected, or if none of the selected labs compiles.
    pub(crate) fn new(
        workspace: &Workspace,
        catalog: &Catalog,
        selection: &Selection,
        release: bool,
        runs: PathBuf,
        stop: &Stop,
    ) -> Result<Self, Error> {
        let builds = runs.join("builds");
        let builder = Builder {
            tree: workspace.root(),
            target: None,
            release,
            debug: true,
            shown: true,
            builds: &builds,
            stop,
            sandbox: None,
        };
        let mut built = Built { _runs: Runs(runs), ..Built::default() };
        for lab in selection.labs(catalog)? {
            term::echo(&builder.command(lab));
            match builder.build(lab)? {
                Ok(build) => built.add(lab, Arc::new(build), catalog, selection),
                Err(_) => {
                    term::note(format!("{} does not compile; its tests are skipped", lab.name));
                    built.broken.push(lab.name.clone());
                }
            }
        }
        if built.cases.is_empty() {
            built.outcome(Exit::Passed)?;
            let label = selection.label();
            return Err(Error::NothingMatched(format!("no built test matches '{label}'")));
        }
        Ok(built)
    }

    /// Adds the tests of a lab that are selected.
    fn add(&mut self, lab: &Lab, build: Arc<Build>, catalog: &Catalog, selection: &Selection) {
        let mut cases = TestCase::all(lab, &build);
        cases.retain(|case| selection.includes(lab, &case.part, &case.name, catalog));
        warn_of_differences(lab, &cases, &build, catalog, selection);
        self.cases.extend(cases);
    }

    /// Builds the lab of the one test that `pattern` selects; see [`Built::only`].
    ///
    /// # Errors
    /// As [`Built::new`].
    pub(crate) fn for_one(
        workspace: &Workspace,
        pattern: &String,
        release: bool,
        stop: &Stop,
    ) -> Result<Self, Error> {
        let catalog = workspace.catalog()?;
        let selection = Selection::new(std::slice::from_ref(pattern));
        Self::new(workspace, &catalog, &selection, release, results::runs(workspace), stop)
    }

    /// The only test, if `pattern` matches just one.
    pub(crate) fn only(&self, pattern: &str) -> Result<&TestCase, Error> {
        if let [case] = &self.cases[..] {
            return Ok(case);
        }
        let names: Vec<&str> = self.cases.iter().map(|case| &*case.name).collect();
        Err(Error::harness(format!("'{pattern}' matches several tests: {}", names.join(", "))))
    }

    /// The outcome of a command whose tests ended with `exit`. A lab that does not compile takes
    /// precedence.
    pub(crate) fn outcome(&self, exit: Exit) -> Result<Exit, Error> {
        match &self.broken[..] {
            [] => Ok(exit),
            broken => Err(Error::DoesNotCompile(broken.join(", "))),
        }
    }
}

/// Prints a note for each difference between the catalog and the built tests.
fn warn_of_differences(
    lab: &Lab,
    cases: &[TestCase],
    build: &Build,
    catalog: &Catalog,
    selection: &Selection,
) {
    let names: Vec<&str> =
        build.names().iter().filter_map(|path| path.rsplit("::").next()).collect();
    for entry in catalog.entries().filter(|entry| entry.lab.name == lab.name) {
        let name = &*entry.test.name;
        if selection.includes_entry(entry, catalog) && !names.contains(&name) {
            term::note(format!("lab/labs.toml lists {name}, but {} has no such test", lab.name));
        }
    }
    for TestCase { name, .. } in cases {
        if !lab.health_check && catalog.entry(&lab.name, name).is_none() {
            let lab = &lab.name;
            term::note(format!("{lab} has the test {name}, but lab/labs.toml does not list it"));
        }
    }
}
