//! The tests that were asked for, built and ready to run.

use std::sync::Arc;

use crate::catalog::{Catalog, Lab};
use crate::compile::{Binary, Profile, compile};
use crate::error::{Error, Status};
use crate::select::Selection;
use crate::term;
use crate::workspace::Workspace;

/// A test that can run.
#[derive(Clone, Debug)]
pub(crate) struct TestCase {
    /// The package.
    pub(crate) lab: String,
    /// `2A`; empty for a health check.
    pub(crate) part: String,
    /// The function: `initial_election_2a`.
    pub(crate) name: String,
    /// Its name for cargo: `election_2a::initial_election_2a`.
    pub(crate) path: String,
    /// Points.
    pub(crate) points: u32,
    /// Whether its servers are processes, so that it runs in real time whatever was asked for.
    pub(crate) real: bool,
    /// Whether it is judged by its exit code, since no student code runs in it.
    pub(crate) health_check: bool,
    /// The program that holds it.
    pub(crate) binary: Arc<Binary>,
}

/// In which world tests run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct World {
    /// The policy of the simulation; `None` for real threads.
    pub(crate) policy: Option<String>,
}

impl TestCase {
    /// The world that it runs in if `asked` is what was asked for.
    pub(crate) fn world(&self, asked: &World) -> World {
        if self.real { World::REAL } else { asked.clone() }
    }
}

impl World {
    /// Real threads.
    pub(crate) const REAL: World = World { policy: None };

    /// The world of a run that is written as `seed`, `seed:policy` or `seed --real`.
    pub(crate) fn run(&self, seed: u64) -> String {
        match &self.policy {
            Some(policy) => format!("{seed}:{policy}"),
            None => format!("{seed} --real"),
        }
    }

    /// The same in a form that names files.
    pub(crate) fn file_name(&self, seed: u64) -> String {
        format!("{seed}_{}", self.policy.as_deref().unwrap_or("real"))
    }
}

/// The selected tests, as far as they could be built.
#[derive(Clone, Debug, Default)]
pub(crate) struct Built {
    /// The tests, in the order of the catalog.
    pub(crate) cases: Vec<TestCase>,
    /// Labs that do not compile: each costs its own tests and no others.
    broken: Vec<String>,
}

impl Built {
    /// The outcome of a command whose tests ended with `status`: that something could not be tested
    /// at all weighs more.
    pub(crate) fn outcome(&self, status: Status) -> Result<Status, Error> {
        match &self.broken[..] {
            [] => Ok(status),
            broken => Err(Error::DoesNotCompile(broken.join(", "))),
        }
    }
}

/// Builds the labs that are selected.
///
/// # Errors
/// If nothing is selected, or nothing of it compiles.
pub(crate) fn build(
    workspace: &Workspace,
    catalog: &Catalog,
    selection: &Selection,
    profile: Profile,
) -> Result<Built, Error> {
    let Built { mut cases, mut broken } = Built::default();
    for lab in selection.labs(catalog)? {
        let binary = match compile(workspace, lab, profile) {
            Err(Error::DoesNotCompile(package)) => {
                term::note(format!("{package} does not compile; its tests are left out"));
                broken.push(package);
                continue;
            }
            built => Arc::new(built?),
        };
        let mut found: Vec<_> = binary.tests.iter().map(|path| case(lab, path, &binary)).collect();
        found.retain(|case| selection.includes(lab, &case.part, &case.name, catalog));
        let order: Vec<&str> =
            lab.parts.iter().flat_map(|part| &part.tests).map(|test| &*test.name).collect();
        let place = |case: &TestCase| order.iter().position(|name| *name == case.name);
        found.sort_by_key(|case| place(case).unwrap_or(order.len()));
        warn_of_differences(lab, &found, &binary, catalog, selection);
        cases.extend(found);
    }
    if cases.is_empty() && !broken.is_empty() {
        return Err(Error::DoesNotCompile(broken.join(", ")));
    }
    if cases.is_empty() {
        let label = selection.label();
        return Err(Error::NothingMatched(format!("'{label}': no test of that name was built")));
    }
    Ok(Built { cases, broken })
}

/// The test with this path.
fn case(lab: &Lab, path: &str, binary: &Arc<Binary>) -> TestCase {
    let name = path.rsplit("::").next().unwrap_or(path);
    let known = lab
        .parts
        .iter()
        .find_map(|part| Some((part, part.tests.iter().find(|test| test.name == name)?)));
    let part = match known {
        Some((part, _)) => part.name.clone(),
        None if lab.health_check => String::new(),
        None => name.rsplit('_').next().unwrap_or_default().to_uppercase(),
    };
    TestCase {
        lab: lab.name.clone(),
        part,
        name: name.to_string(),
        path: path.to_string(),
        points: known.map_or(0, |(_, test)| test.points),
        real: lab.real || known.is_some_and(|(_, test)| test.real),
        health_check: lab.health_check,
        binary: Arc::clone(binary),
    }
}

/// Says where the catalog and the built tests disagree.
fn warn_of_differences(
    lab: &Lab,
    found: &[TestCase],
    binary: &Binary,
    catalog: &Catalog,
    selection: &Selection,
) {
    let names: Vec<&str> =
        binary.tests.iter().filter_map(|path| path.rsplit("::").next()).collect();
    for entry in catalog.entries().filter(|entry| entry.lab.name == lab.name) {
        let name = &*entry.test.name;
        if selection.includes_entry(entry, catalog) && !names.contains(&name) {
            term::note(format!("lab/labs.toml lists {name}, but {} has no such test", lab.name));
        }
    }
    for TestCase { name, .. } in found {
        if !lab.health_check && catalog.entry(&lab.name, name).is_none() {
            term::note(format!("{} has the test {name}, which lab/labs.toml lacks", lab.name));
        }
    }
}
