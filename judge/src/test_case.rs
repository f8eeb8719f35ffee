//! A test that can run.

use std::sync::Arc;

use contract::record::{Run, part_of, seed_and_policy};
use contract::settings::Policy;

use crate::build::Build;
use crate::catalog::Lab;

/// A test that can run.
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
    /// Points.
    pub points: u32,
    /// What a solution promises, as the catalog says it.
    pub claim: String,
    /// Usual causes of its failure.
    pub hints: Vec<String>,
    /// Whether its servers are processes, so that it runs in real time whatever was asked for.
    pub real: bool,
    /// Whether it is judged by its exit code, since no student code runs in it.
    pub health_check: bool,
    /// The program that holds it.
    pub build: Arc<Build>,
}

impl TestCase {
    /// The tests of a lab in a build, those of the catalog first and in its order.
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
            hints: known.map_or(Vec::new(), |(_, test)| test.hints.clone()),
            real: lab.real || known.is_some_and(|(_, test)| test.real),
            health_check: lab.health_check,
            build: Arc::clone(build),
        }
    }

    /// The policy that it runs under if `asked` was asked for: none if it runs in real time anyway.
    pub fn policy(&self, asked: Option<Policy>) -> Option<Policy> {
        if self.real { None } else { asked }
    }

    /// A run of which nothing is known yet.
    pub fn run(&self, seed: u64, policy: Option<Policy>) -> Run {
        Run::new(&self.lab, &self.part, &self.name, seed, policy)
    }

    /// The line that replays one of its runs.
    pub fn replay(&self, seed: u64, policy: Option<Policy>) -> String {
        format!("cargo lab replay {} {}", self.name, seed_and_policy(seed, policy))
    }
}
