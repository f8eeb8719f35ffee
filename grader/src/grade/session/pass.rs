//! Grades the labs of a submission that stand on the same solutions.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use judge::catalog::Lab;
use judge::{Error, TestCase, with_labs_below};
use submission::lint::{Finding, Severity, Source};

use super::Session;
use crate::grade::results::{LabResult, Obstacle, Runs};
use crate::grade::runs;
use crate::grade::slot::Slot;
use crate::grade::submission::Submission;

/// Which solutions stand below a lab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Below {
    /// The student's own.
    Own,
    /// Those of the reference that are asked for, and else the student's own.
    Reference,
}

/// The results of some labs.
pub(super) struct Pass {
    pub(super) labs: Vec<LabResult>,
    pub(super) cpu_seconds: f64,
    pub(super) build_seconds: f64,
}

impl Session<'_> {
    /// Grades the labs for which `below` is asked for; `None` if interrupted.
    pub(super) fn pass(
        &self,
        submission: &Submission,
        below: Below,
    ) -> Result<Option<Pass>, Error> {
        let labs = self.labs().filter(|lab| self.is_graded(lab, below));
        let graded: BTreeSet<&str> = labs.map(|lab| &*lab.name).collect();
        let mut pass = Pass { labs: Vec::new(), cpu_seconds: 0.0, build_seconds: 0.0 };
        if graded.is_empty() {
            return Ok(Some(pass));
        }
        let begun = Instant::now();
        let (labs, cases) = self.build_all(submission, below, &graded)?;
        pass.labs = labs;
        pass.build_seconds = begun.elapsed().as_secs_f64();
        let tell = |done: usize, all: usize| {
            self.progress.set(format!("{}: {done} of {all} tests", submission.id));
        };
        let workers = self.options.workers();
        let runs = runs::of(&self.judge, workers, &cases, &pass.labs, tell)?;
        let Some(runs) = runs else { return Ok(None) };
        pass.count(runs);
        if self.options.has_pictures() {
            self.progress.set(format!("{}: pictures of failed runs", submission.id));
            let ending = if below == Below::Own { "" } else { ".on-reference" };
            let (judge, confinement) = (&self.judge, &self.confinement);
            let drawing = self.pictures.begin(&submission.id, judge, confinement, ending);
            let warn = |problem: &str| self.progress.warn(&format!("{}: {problem}", submission.id));
            if drawing.add(&mut pass.labs, &cases, workers, warn).is_none() {
                return Ok(None);
            }
        }
        Ok(Some(pass))
    }

    /// Builds these labs, one after the other. Returns their results, and the tests of those that
    /// compile.
    fn build_all(
        &self,
        submission: &Submission,
        below: Below,
        graded: &BTreeSet<&str>,
    ) -> Result<(Vec<LabResult>, Vec<TestCase>), Error> {
        let reference = |lab: &String| match below {
            Below::Own => None,
            Below::Reference => self.references.get(lab),
        };
        for lab in &self.selection.labs {
            let sources = reference(lab).or_else(|| submission.labs.get(lab));
            self.slot.lay(lab, sources)?;
        }
        let (mut results, mut cases, mut broken) = (Vec::new(), Vec::new(), BTreeMap::new());
        // A lab that is not graded in this pass may stand below one that is.
        for lab in self.labs() {
            let is_graded = graded.contains(&*lab.name);
            let replacement = reference(&lab.name);
            if replacement.is_some() {
                if !is_graded {
                    continue;
                }
                // The student's own is graded; the labs above use the reference, see below.
                self.slot.lay(&lab.name, submission.labs.get(&lab.name))?;
            }
            self.progress.set(format!("{}: building {}", submission.id, lab.name));
            let mut result = self.empty(lab);
            let findings = match self.options.no_lint {
                true => Vec::new(),
                false => lint(&self.slot, submission, &lab.name),
            };
            let is_refused = findings.iter().any(|it| it.severity == Severity::Refused);
            result.findings = findings.iter().map(ToString::to_string).collect();
            result.obstacle = match self.obstacle(submission, lab, &broken) {
                None if is_refused => Some(Obstacle::Refused),
                None if is_graded => match self.build(lab) {
                    Ok(Ok(tests)) => {
                        cases.extend(tests);
                        None
                    }
                    Ok(Err(output)) => Some(Obstacle::DoesNotCompile(output)),
                    // One submission must not stop the others.
                    Err(Error::Harness(why)) if submission.is_foreign => {
                        Some(Obstacle::NotBuilt(why))
                    }
                    Err(error) => return Err(error),
                },
                obstacle => obstacle,
            };
            if replacement.is_some() {
                self.slot.lay(&lab.name, replacement)?;
            } else if let Some(obstacle) = &result.obstacle {
                broken.insert(lab.name.clone(), obstacle.clone());
            }
            if is_graded {
                results.push(result);
            }
        }
        Ok((results, cases))
    }

    /// Whether a lab is graded in this pass: on the reference if it uses a lab that is replaced, on
    /// the student's own labs if not or if the better of the two counts.
    fn is_graded(&self, lab: &Lab, below: Below) -> bool {
        let labs = with_labs_below(&self.slot.tree(), &self.selection.labs, &lab.name);
        let is_above =
            labs.iter().any(|other| *other != lab.name && self.references.contains_key(*other));
        match below {
            Below::Own => !is_above || self.options.best_of,
            Below::Reference => is_above,
        }
    }

    /// Builds a lab in its sandbox.
    fn build(&self, lab: &Lab) -> Result<Result<Vec<TestCase>, String>, Error> {
        self.slot.build(lab, self.judge.stop(), Some(self.confinement.sandbox()))
    }

    /// Why a lab cannot be built, if that is known before.
    fn obstacle(
        &self,
        submission: &Submission,
        lab: &Lab,
        broken: &BTreeMap<String, Obstacle>,
    ) -> Option<Obstacle> {
        if !submission.labs.contains_key(&lab.name) {
            return Some(Obstacle::NotSubmitted);
        }
        let labs: &BTreeSet<String> = &self.selection.labs;
        let below = with_labs_below(&self.slot.tree(), labs, &lab.name);
        // The lab that is to be mended, rather than one that is blocked as well.
        let is_blocked = |other: &&&str| matches!(broken[**other], Obstacle::BlockedBy(_));
        let blocking =
            below.iter().filter(|other| broken.contains_key(**other)).min_by_key(is_blocked);
        blocking.map(|other| Obstacle::BlockedBy(other.to_string()))
    }
}

impl Pass {
    /// Counts the runs of all tests.
    pub(super) fn count(&mut self, mut runs: Runs) {
        for lab in &mut self.labs {
            for test in lab.parts.iter_mut().flat_map(|part| &mut part.tests) {
                let runs = runs.remove(&(lab.lab.clone(), test.test.clone())).unwrap_or_default();
                test.count(&runs);
                self.cpu_seconds += runs.iter().map(|run| run.cpu_seconds).sum::<f64>();
            }
            lab.add_up();
        }
    }
}

/// What the check of a lab's submitted sources finds.
fn lint(slot: &Slot, submission: &Submission, lab: &str) -> Vec<Finding> {
    let sources = submission.labs.get(lab).into_iter().flatten();
    let sources =
        sources.filter(|(path, _)| slot.own_copy(lab, path).is_none()).map(|(path, contents)| {
            let path = format!("{lab}/src/{}", path.display());
            Source { path, contents: contents.clone() }
        });
    let sources: Vec<Source> = sources.collect();
    if sources.is_empty() { Vec::new() } else { submission::lint::check(lab, &sources) }
}
