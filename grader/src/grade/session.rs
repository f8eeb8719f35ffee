//! Grades one submission after the other.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::time::Instant;

use judge::catalog::Lab;
use judge::{Catalog, Error, Judge, Limits, Stop, TestCase, Workspace, output_of};
use submission::lint::{Finding, Severity, Source};

use super::confine::{Confinement, OF_RUN};
use super::known::Known;
use super::results::{
    Circumstances, Graded, LabResult, Obstacle, PartResult, Runs, TestResult, VERSION,
};
use super::runs;
use super::seeds::Plan;
use super::slot::{self, Slot, Sources};
use super::submission::Submission;
use crate::cli::GradeOptions;
use crate::handout::contents::{Handout, Selection};
use crate::handout::release::{hash, release_of};
use crate::progress::Progress;
use crate::sources::with_labs_below;

/// Bytes that a run may print.
const OUTPUT: u64 = 16 << 20;

/// What all submissions share.
pub(crate) struct Session<'a> {
    pub(crate) options: &'a GradeOptions,
    catalog: Catalog,
    selection: Selection,
    /// The reference solutions that submissions are graded on top of.
    references: BTreeMap<String, Sources>,
    /// A hash of them.
    references_hash: String,
    plan: Plan,
    slot: Slot,
    confinement: Confinement,
    judge: Judge,
    with: Circumstances,
    pub(crate) known: Known,
    pub(crate) progress: Progress,
}

/// Which solutions stand below a lab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Below {
    /// The student's own.
    Own,
    /// Those of the reference that are asked for, and else the student's own.
    Reference,
}

/// The results of some labs.
struct Pass {
    labs: Vec<LabResult>,
    cpu_seconds: f64,
    build_seconds: f64,
}

impl<'a> Session<'a> {
    /// Makes the handout and the tree.
    ///
    /// # Errors
    /// If that fails.
    pub(crate) fn open(workspace: &Workspace, options: &'a GradeOptions) -> Result<Self, Error> {
        let progress = Progress::new();
        progress.set("making the tree".to_string());
        let selection = Selection::new(workspace, &options.labs, &[])?;
        // The whole handout, whatever is graded: its release is the one that students have.
        let handout = Handout::new(workspace, &Selection::new(workspace, &[], &[])?)?;
        let release = release_of(&handout)?;
        let own = Submission::of_workspace(workspace)?;
        let known = Known::open(workspace, &handout, &own, options, &progress)?;
        let mut references = own.labs;
        references.retain(|lab, _| options.reference.contains(lab));
        if let Some(lab) = options.reference.iter().find(|lab| !references.contains_key(*lab)) {
            return Err(Error::NothingMatched(format!("--reference: there is no lab '{lab}'")));
        }
        let stop = Stop::on_signals()?;
        let slot = Slot::open(&slot::home(workspace, options)?, handout)?;
        progress.set("trying the sandbox".to_string());
        let confinement = Confinement::open(&slot.directories(), options, &stop)?;
        let with = Circumstances {
            version: release.version,
            release: release.release.clone(),
            compiler: compiler()?,
            protection: confinement.protection().to_string(),
            landlock: confinement.landlock(),
            reference: references.keys().cloned().collect(),
        };
        let secret = options.secret.clone().unwrap_or(release.release);
        let plan = Plan { secret, seeds: options.seeds(), only: options.only.clone() };
        let catalog = workspace.catalog()?;
        if !catalog.entries().any(|entry| plan.includes(&entry.test.name)) {
            let patterns = options.only.join(", ");
            return Err(Error::NothingMatched(format!("--only {patterns}: there is no such test")));
        }
        let wall = options.time_out();
        let limits = Limits { wall, cpu: Some(wall), output: OUTPUT, resources: OF_RUN };
        let judge = Judge::new(limits, stop)?.wrap(confinement.wrap());
        Ok(Self {
            options,
            catalog,
            selection,
            references_hash: hash_of(&references),
            references,
            plan,
            slot,
            confinement,
            judge,
            with,
            known,
            progress,
        })
    }

    /// What decides about the result of a submission.
    pub(crate) fn key(&self, submission: &Submission) -> String {
        let Circumstances { release, compiler, protection, .. } = &self.with;
        let Plan { secret, seeds, only } = &self.plan;
        let seeds = seeds.map_or("default".to_string(), |seeds| seeds.to_string());
        let secret = &hash(secret.as_bytes())[..12];
        let best_of = if self.options.best_of { "best-of:" } else { "" };
        let lint = if self.options.no_lint { "no" } else { "yes" };
        let (reference, only) = (best_of.to_string() + &self.references_hash, only.join("+"));
        let labs: Vec<&str> = self.selection.labs.iter().map(|lab| &**lab).collect();
        let labs = labs.join("+");
        let (tree, limit) = (&submission.hash, self.options.time_out().as_secs());
        format!(
            "{tree} {release} {compiler} seeds={seeds}/{secret} {labs} on={reference} \
             limit={limit}s lint={lint} in={protection} only={only}"
        )
    }

    /// Grades a submission; `None` if interrupted.
    ///
    /// # Errors
    /// If the machine has a problem.
    pub(crate) fn grade(&self, submission: &Submission) -> Result<Option<Graded>, Error> {
        let (files, copies) = self.known.of(submission);
        let mut graded = Graded {
            schema: VERSION,
            id: submission.id.clone(),
            tree: submission.hash.clone(),
            key: self.key(submission),
            with: self.with.clone(),
            score: 0.0,
            points: 0,
            pending: false,
            refused: submission.refused.clone(),
            ignored: self.ignored(submission),
            files,
            copies,
            cpu_seconds: 0.0,
            build_seconds: 0.0,
            labs: Vec::new(),
        };
        if graded.refused.is_some() {
            let labs = self.labs().map(|lab| {
                let obstacle = Some(Obstacle::Refused);
                LabResult { obstacle, ..self.empty(lab) }
            });
            let mut refused = Pass { labs: labs.collect(), cpu_seconds: 0.0, build_seconds: 0.0 };
            refused.count(Runs::new());
            graded.labs = refused.labs;
            graded.add_up();
            return Ok(Some(graded));
        }
        self.slot.trim()?;
        let Some(own) = self.pass(submission, Below::Own)? else { return Ok(None) };
        let Some(other) = self.pass(submission, Below::Reference)? else { return Ok(None) };
        for Pass { labs, cpu_seconds, build_seconds } in [own, other] {
            graded.cpu_seconds += cpu_seconds;
            graded.build_seconds += build_seconds;
            for lab in labs {
                match graded.labs.iter_mut().find(|known| known.lab == lab.lab) {
                    // Of two results without points, the one with runs tells more.
                    Some(known) if known.score > lab.score => {}
                    Some(known) if known.score == lab.score && known.obstacle.is_none() => {}
                    Some(known) => *known = lab,
                    None => graded.labs.push(lab),
                }
            }
        }
        let place = |lab: &LabResult| self.labs().position(|known| known.name == lab.lab);
        graded.labs.sort_by_key(place);
        graded.add_up();
        Ok(Some(graded))
    }

    /// Grades the labs for which `below` is asked for; `None` if interrupted.
    fn pass(&self, submission: &Submission, below: Below) -> Result<Option<Pass>, Error> {
        let graded: Vec<&Lab> = self.labs().filter(|lab| self.is_graded(lab, below)).collect();
        let mut pass = Pass { labs: Vec::new(), cpu_seconds: 0.0, build_seconds: 0.0 };
        if graded.is_empty() {
            return Ok(Some(pass));
        }
        let reference = |lab: &String| match below {
            Below::Own => None,
            Below::Reference => self.references.get(lab),
        };
        for lab in &self.selection.labs {
            let sources = reference(lab).or_else(|| submission.labs.get(lab));
            self.slot.lay(lab, sources)?;
        }
        let begun = Instant::now();
        let (mut cases, mut broken) = (Vec::new(), BTreeMap::new());
        // A lab that is not graded in this pass may stand below one that is.
        for lab in self.labs().filter(|lab| reference(&lab.name).is_none()) {
            self.progress.set(format!("{}: building {}", submission.id, lab.name));
            let mut result = self.empty(lab);
            let findings = match self.options.no_lint {
                true => Vec::new(),
                false => lint(&self.slot, submission, &lab.name),
            };
            let is_refused = findings.iter().any(|it| it.severity == Severity::Refused);
            result.findings = findings.iter().map(ToString::to_string).collect();
            let is_graded = graded.iter().any(|graded| graded.name == lab.name);
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
            if let Some(obstacle) = &result.obstacle {
                broken.insert(lab.name.clone(), obstacle.clone());
            }
            if is_graded {
                pass.labs.push(result);
            }
        }
        pass.build_seconds = begun.elapsed().as_secs_f64();
        let tell = |done: usize, all: usize| {
            self.progress.set(format!("{}: {done} of {all} tests", submission.id));
        };
        let runs = runs::of(&self.judge, self.options.workers(), &cases, &pass.labs, tell)?;
        let Some(runs) = runs else { return Ok(None) };
        pass.count(runs);
        Ok(Some(pass))
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

    /// The submitted files that are not graded, changed copies of the course's own included.
    pub(crate) fn ignored(&self, submission: &Submission) -> Vec<String> {
        let mut ignored = submission.ignored.clone();
        for (lab, sources) in &submission.labs {
            let replaced = sources.iter().filter(|(path, contents)| {
                self.slot.own_copy(lab, path).is_some_and(|own| own != **contents)
            });
            ignored.extend(replaced.map(|(path, _)| {
                format!("{lab}/src/{}: the course's own copy is used", path.display())
            }));
        }
        ignored
    }

    /// The labs to grade, in the order of the course.
    fn labs(&self) -> impl Iterator<Item = &Lab> {
        let wanted = |lab: &&Lab| self.selection.labs.contains(&lab.name);
        self.catalog.labs.iter().filter(wanted)
    }

    /// The result of a lab before its runs.
    fn empty(&self, lab: &Lab) -> LabResult {
        let mut parts = Vec::new();
        for part in &lab.parts {
            let tests = self.catalog.entries().filter(|entry| {
                let is_own = entry.lab.name == lab.name && entry.part.name == part.name;
                is_own && self.plan.includes(&entry.test.name)
            });
            let tests: Vec<TestResult> = tests
                .map(|entry| {
                    let test = entry.test;
                    TestResult::new(&test.name, &test.claim, test.points, self.plan.seeds(&entry))
                })
                .collect();
            if !tests.is_empty() {
                let points = tests.iter().map(|test| test.points).sum();
                let (part, title) = (part.name.clone(), part.title.clone());
                parts.push(PartResult { part, title, score: 0.0, points, tests });
            }
        }
        LabResult {
            lab: lab.name.clone(),
            title: lab.title.clone(),
            score: 0.0,
            points: parts.iter().map(|part| part.points).sum(),
            obstacle: None,
            findings: Vec::new(),
            parts,
        }
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
    fn count(&mut self, mut runs: Runs) {
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

/// A hash of the sources of labs; empty if there are none.
fn hash_of(labs: &BTreeMap<String, Sources>) -> String {
    let mut text = String::new();
    for (lab, sources) in labs {
        for (path, contents) in sources {
            text += &format!("{lab}/{} {}\n", path.display(), hash(contents));
        }
    }
    if text.is_empty() { text } else { hash(text.as_bytes())[..12].to_string() }
}

/// The compiler, as it names itself.
fn compiler() -> Result<String, Error> {
    let mut command = Command::new("rustc");
    let version = output_of(command.arg("--version"), "rustc --version")?;
    Ok(String::from_utf8_lossy(&version).trim().to_string())
}
