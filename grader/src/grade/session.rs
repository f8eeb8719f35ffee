//! Grades one submission after the other.

mod pass;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use judge::catalog::Lab;
use judge::{Catalog, Error, Judge, Limits, Stop, Workspace, output_of};

use self::pass::{Below, Pass};
use super::confine::{Confinement, OF_RUN};
use super::known::Known;
use super::pictures::Pictures;
use super::results::{
    Circumstances, Graded, LabResult, Obstacle, PartResult, Runs, TestResult, VERSION,
};
use super::seeds::Plan;
use super::slot::{self, Slot, Sources};
use super::submission::Submission;
use crate::cli::GradeOptions;
use crate::handout::contents::{Handout, Selection};
use crate::handout::release::{hash, release_of};
use crate::progress::ProgressLine;

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
    pictures: Pictures,
    with: Circumstances,
    pub(crate) known: Known,
    pub(crate) progress: ProgressLine,
}

impl<'a> Session<'a> {
    /// Makes the handout and the tree. The results will be in the directory `out`.
    ///
    /// # Errors
    /// If that fails.
    pub(crate) fn open(
        workspace: &Workspace,
        options: &'a GradeOptions,
        out: &Path,
    ) -> Result<Self, Error> {
        let progress = ProgressLine::new();
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
            pictures: Pictures::new(out),
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
        if self.options.into.is_none() {
            self.pictures.forget(&submission.id);
        }
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
