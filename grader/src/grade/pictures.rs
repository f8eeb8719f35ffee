//! Why a test fails: the picture of its first failed run, and the smallest run that still fails.
//!
//! The run is repeated with a recorder, in the same sandbox. For the first failed test of each part,
//! runs with ever fewer accidents are searched for. Nothing here changes a score. What a recording
//! contains is the submission's data: a forged one spoils the picture of its own run only.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use contract::accidents::Accidents;
use contract::record::{Assignment, Failure, Run};
use contract::settings::Policy;
use judge::pool::{self, Ending};
use judge::shrink::{Effort, Trials, Violated};
use judge::{Error, Judge, Limits, Output, TestCase};

use super::confine::{Confinement, OF_RUN, remove_all};
use super::outputs::text::{PAGES, file_name, headline};
use super::results::{LabResult, Picture, Smaller, Smallest, Told};
use super::seeds::POLICY;

/// Real time of one search.
const SEARCH: Duration = Duration::from_secs(10);

/// The most accidents of a smallest run that a page tells.
const TOLD: usize = 40;

/// The most bytes of a page.
const PAGE: usize = 5_000_000;

/// Why a run is not drawn again.
const OTHER_COURSE: &str = "the repeated run took another course, so it depends on something \
                            outside the simulation";

/// Makes pictures for the results in one directory.
pub(crate) struct Pictures {
    out: PathBuf,
}

/// A failed run to explain.
struct Job<'c> {
    case: &'c TestCase,
    seed: u64,
    /// The hash of its trace.
    hash: String,
    is_replayable: bool,
    /// Whether no earlier test of its part has a run that can be repeated.
    is_first: bool,
}

/// What was found out about a test.
struct Explained<'c> {
    case: &'c TestCase,
    picture: Picture,
    smaller: Option<Smaller>,
}

/// What all jobs of a submission share.
pub(crate) struct Drawing<'a> {
    judge: &'a Judge,
    confinement: &'a Confinement,
    /// The directory of results.
    out: &'a Path,
    /// The submission's directory in it.
    directory: String,
    /// What distinguishes the names of pages of the same test.
    ending: &'static str,
}

impl Pictures {
    /// Pictures below `out`, the directory of results.
    pub(crate) fn new(out: &Path) -> Self {
        Self { out: out.to_path_buf() }
    }

    /// Removes the pictures of an earlier grading of a submission.
    pub(crate) fn forget(&self, id: &str) {
        let directory = self.out.join(directory_of(id));
        if directory.exists() {
            remove_all(&directory);
        }
    }

    /// Begins to draw runs of a submission, which this judge makes in this sandbox.
    pub(crate) fn begin<'a>(
        &'a self,
        id: &str,
        judge: &'a Judge,
        confinement: &'a Confinement,
        ending: &'static str,
    ) -> Drawing<'a> {
        Drawing { judge, confinement, out: &self.out, directory: directory_of(id), ending }
    }
}

/// The first failed run of each simulated test, unless it only says that something is not written.
fn jobs<'c>(labs: &[LabResult], cases: &'c [TestCase]) -> Vec<Job<'c>> {
    let mut jobs = Vec::new();
    for lab in labs {
        for part in &lab.parts {
            let mut is_first = true;
            for test in &part.tests {
                let is_its = |case: &&TestCase| case.lab == lab.lab && case.name == test.test;
                let case = cases.iter().find(is_its).filter(|case| !case.real);
                let (Some(case), Some(failure)) = (case, test.failures.first()) else { continue };
                if failure.property.ends_with(Failure::UNWRITTEN) {
                    continue;
                }
                let (seed, kind) = (failure.seed, failure.kind.clone());
                let run = Run { kind, ..case.run(seed, Some(POLICY)) };
                let (hash, is_replayable) = (failure.trace_hash.clone(), run.is_replayable());
                jobs.push(Job { case, seed, hash, is_replayable, is_first });
                is_first &= !is_replayable;
            }
        }
    }
    jobs
}

/// Copies the pictures of a submission from results, a directory or a file in it, to a directory,
/// in place of those that it has.
///
/// # Errors
/// If a file cannot be read or written.
pub(crate) fn copy(id: &str, results: &Path, to: &Path) -> Result<(), Error> {
    let from = if results.is_file() { results.parent().unwrap_or(results) } else { results };
    let (from, to) = (from.join(directory_of(id)), to.join(directory_of(id)));
    if from.canonicalize().ok() == to.canonicalize().ok() {
        return Ok(());
    }
    if to.exists() {
        remove_all(&to);
    }
    if !from.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(&to).map_err(Error::file("create", &to))?;
    for entry in from.read_dir().map_err(Error::file("read", &from))? {
        let entry = entry.map_err(Error::file("read", &from))?;
        let path = entry.path();
        fs::copy(&path, to.join(entry.file_name())).map_err(Error::file("copy", &path))?;
    }
    Ok(())
}

/// The directory of a submission's pictures, relative to that of the results.
fn directory_of(id: &str) -> String {
    format!("{PAGES}/{}", file_name(id, "pictures"))
}

impl Drawing<'_> {
    /// Adds to the first failed run of each test what it looks like, and to the first of each part
    /// the smallest run, for `workers` tests at a time; `None` if interrupted.
    ///
    /// # Errors
    /// If a run cannot be made or a file cannot be written.
    pub(crate) fn add(
        &self,
        labs: &mut [LabResult],
        cases: &[TestCase],
        workers: usize,
    ) -> Result<Option<()>, Error> {
        let jobs = jobs(labs, cases);
        if !jobs.is_empty() {
            let directory = self.out.join(&self.directory);
            fs::create_dir_all(&directory).map_err(Error::file("create", &directory))?;
        }
        let work = |job| self.explain(job);
        let ending = pool::run(jobs.into_iter(), workers, self.judge.stop(), work, |explained| {
            let Explained { case, picture, smaller } = explained;
            let lab = labs.iter_mut().find(|lab| lab.lab == case.lab);
            let parts = lab.into_iter().flat_map(|lab| &mut lab.parts);
            let mut tests = parts.flat_map(|part| &mut part.tests);
            let test = tests.find(|test| test.test == case.name);
            if let Some(failure) = test.and_then(|test| test.failures.first_mut()) {
                (failure.picture, failure.smaller) = (Some(picture), smaller);
            }
            Ok(())
        })?;
        Ok((ending == Ending::Finished).then_some(()))
    }

    /// Draws the run of a job, and makes it smaller; `None` if interrupted.
    fn explain<'c>(&self, job: Job<'c>) -> Result<Option<Explained<'c>>, Error> {
        let Job { case, seed, hash, is_replayable, is_first } = job;
        let missing = |why: &str| {
            let picture = Picture::Missing(why.to_string());
            Ok(Some(Explained { case, picture, smaller: None }))
        };
        if !is_replayable {
            return missing("real time or a limit ended the run, so it cannot be repeated exactly");
        }
        let assignment = Assignment::new(&*case.name, seed, Some(POLICY));
        let Some((again, picture)) = self.draw(case, assignment, "")? else { return Ok(None) };
        if again.trace_hash != hash || !again.verdict.is_failure() {
            self.remove(&picture);
            return missing(OTHER_COURSE);
        }
        let mut explained = Explained { case, picture, smaller: None };
        if is_first {
            explained.smaller = self.shrink(case, seed)?;
            if explained.smaller.is_none() {
                return Ok(None);
            }
        }
        Ok(Some(explained))
    }

    /// Repeats a run with a recorder and writes its page; `None` if interrupted. Without a page the
    /// run tells the reason.
    fn draw(
        &self,
        case: &TestCase,
        assignment: Assignment,
        kind: &str,
    ) -> Result<Option<(Run, Picture)>, Error> {
        let Self { directory, ending, .. } = self;
        let page = format!("{directory}/{}{ending}{kind}.html", case.name);
        let path = self.out.join(&page);
        let recording = path.with_extension("jsonl");
        let run = self.judge.run_assigned(case, assignment, &Output::Dropped, Some(&recording))?;
        let text = fs::read_to_string(&recording).unwrap_or_default();
        fs::remove_file(&recording).ok(); // It may not exist.
        let Some(run) = run else { return Ok(None) };
        let html = picture::html(&text);
        let missing = match () {
            () if text.is_empty() => "the repeated run has left no recording",
            () if html.len() > PAGE => "the recording of the run is too large",
            () => {
                fs::write(&path, html).map_err(Error::file("write", &path))?;
                return Ok(Some((run, Picture::Page(page))));
            }
        };
        Ok(Some((run, Picture::Missing(missing.to_string()))))
    }

    /// Searches for the smallest run that fails as a seed does; `None` if interrupted.
    fn shrink(&self, case: &TestCase, seed: u64) -> Result<Option<Smaller>, Error> {
        let nothing = |why: &str| Ok(Some(Smaller::Nothing(why.to_string())));
        let begun = Instant::now();
        let first = self.judge.run(case, seed, Some(POLICY), &Output::Dropped)?;
        let Some(first) = first else { return Ok(None) };
        let Some(failure) = &first.failure else { return nothing(OTHER_COURSE) };
        let violated = Violated::of(failure);
        let limits = Limits { resources: OF_RUN, ..Trials::limits(begun.elapsed()) };
        let judge = Judge::new(limits, self.judge.stop().clone())?.wrap(self.confinement.wrap());
        let effort = Effort { limit: Some(SEARCH), workers: 1 };
        let trials = Trials::new(case, &first, violated.clone(), judge, effort);
        let Some(best) = interruptible(trials.search(seed))? else { return Ok(None) };
        let Some(best) = best else {
            let runs = trials.runs();
            return nothing(&format!(
                "none of {runs} runs with accidents that can be chosen breaks the same property"
            ));
        };
        let Some(all) = interruptible(trials.count_all(best.seed))? else { return Ok(None) };
        let mut assignment = Assignment::new(&*case.name, best.seed, Some(Policy::Stall));
        assignment.accidents = Some(Accidents::only(best.ids()));
        let drawn = self.draw(case, assignment, ".smallest")?;
        let Some((run, picture)) = drawn else { return Ok(None) };
        match &run.failure {
            Some(failure) if Violated::of(failure) == violated => {}
            _ => {
                self.remove(&picture);
                return nothing(OTHER_COURSE);
            }
        }
        Ok(Some(Smaller::Run(smallest(&run, all, picture))))
    }

    /// Removes the page of a run that is not the one to show.
    fn remove(&self, picture: &Picture) {
        if let Picture::Page(page) = picture {
            fs::remove_file(self.out.join(page)).ok(); // Nothing links to it.
        }
    }
}

/// What a page tells of the smallest run.
fn smallest(run: &Run, all: usize, picture: Picture) -> Smallest {
    let told = run
        .accidents
        .iter()
        .take(TOLD)
        .map(|accident| Told { at: accident.at, text: headline(&accident.text) });
    let failure = run.failure.as_ref();
    let text = |text: Option<&String>| text.map_or(String::new(), |text| headline(text));
    Smallest {
        before: all.max(run.accidents.len()),
        after: run.accidents.len(),
        accidents: told.collect(),
        at: run.virtual_seconds,
        property: text(failure.map(|failure| &failure.property)),
        actual: text(failure.map(|failure| &failure.actual)),
        replay: run.replay(),
        trace_hash: run.trace_hash.clone(),
        picture,
    }
}

/// The result of a search; `None` if it was interrupted.
fn interruptible<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(Error::Interrupted) => Ok(None),
        Err(error) => Err(error),
    }
}
