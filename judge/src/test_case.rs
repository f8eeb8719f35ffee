//! A test of a build.

use std::sync::Arc;

use contract::record::{Run, part_of};
use contract::settings::Policy;

use crate::build::Build;
use crate::catalog::{Hint, Lab};

/// A test of a build, with its entry in the catalog.
#[derive(Clone, Debug)]
pub struct TestCase {
    /// The package.
    pub lab: String,
    /// `2A`; empty for a health check.
    pub part: String,
    /// The function: `initial_election_2a`.
    pub name: String,
    /// Its name for cargo: `election_2a::initial_election_2a`.
    pub path: String,
    /// Its points.
    pub points: u32,
    /// The promise of a solution, from the catalog.
    pub claim: String,
    /// Usual causes of its failure.
    pub hints: Vec<Hint>,
    /// Whether its servers are processes, so that it always runs in real time.
    pub real: bool,
    /// Whether it is judged by its exit code, because it runs no student code.
    pub health_check: bool,
    /// The build that contains it.
    pub build: Arc<Build>,
}

impl TestCase {
    /// The tests of a lab in a build: first those in the catalog, in its order.
    pub fn all(lab: &Lab, build: &Arc<Build>) -> Vec<Self> {
        let order: Vec<&str> =
            lab.parts.iter().flat_map(|part| &part.tests).map(|test| &*test.name).collect();
        let place = |case: &TestCase| order.iter().position(|name| *name == case.name);
        let mut cases: Vec<_> =
            build.names().iter().map(|path| Self::new(lab, path, build)).collect();
        cases.sort_by_key(|case| place(case).unwrap_or(order.len()));
        cases
    }

    /// The test with this path.
    fn new(lab: &Lab, path: &str, build: &Arc<Build>) -> Self {
        let name = path.rsplit("::").next().unwrap_or(path);
        let known = lab
            .parts
            .iter()
            .find_map(|part| Some((part, part.tests.iter().find(|test| test.name == name)?)));
        let part = match known {
            Some((part, _)) => part.name.clone(),
            None if lab.health_check => String::new(),
            None => part_of(name).unwrap_or_default().to_uppercase(),
        };
        Self {
            lab: lab.name.clone(),
            part,
            name: name.to_string(),
            path: path.to_string(),
            points: known.map_or(0, |(_, test)| test.points),
            claim: known.map_or(String::new(), |(_, test)| test.claim.clone()),
            hints: known.map_or(Vec::new(), |(_, test)| [&test.hints[..], &lab.hints].concat()),
            real: lab.real || known.is_some_and(|(_, test)| test.real),
            health_check: lab.health_check,
            build: Arc::clone(build),
        }
    }

    /// The policy of a run if `asked` is requested: `None` if the test always runs in real time.
    pub fn policy(&self, asked: Option<Policy>) -> Option<Policy> {
        if self.real { None } else { asked }
    }

    /// A run without a result.
    pub fn run(&self, seed: u64, policy: Option<Policy>) -> Run {
        Run::new(&self.lab, &self.part, &self.name, seed, policy)
    }
}
