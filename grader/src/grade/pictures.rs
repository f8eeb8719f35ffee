//! Why a test fails: the picture of its first failed run, and the smallest run that still fails.
//!
//! The run is repeated with a recorder, in the same sandbox. For the first failed test of each part,
//! runs with ever fewer accidents are searched for. Nothing here changes a score. What a recording
//! contains is the submission's data: a forged one spoils the picture of its own run only.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use contract::accidents::Accidents;
use contract::record::{Assignment, Run, Verdict};
use contract::settings::Policy;
use judge::pool::{self, Ending};
use judge::shrink::{Effort, Trials, Violated};
use judge::{Error, Judge, Limits, Output, TestCase};

use super::confine::{Confinement, OF_RUN, remove_all};
use super::outputs::text::{PAGES, file_name};
use super::results::{LabResult, Picture, Smaller, Smallest};
use super::seeds::POLICY;

/// Real time of one search.
const SEARCH: Duration = Duration::from_secs(10);

/// The most bytes of a page.
const PAGE: usize = 5_000_000;

/// Why the picture of a repeated run is not shown.
const OTHER_COURSE: &str = "the repeated run took another course, so it depends on something \
                            outside the simulation";

/// Why there is no picture, or no smaller run, where the machine is to blame. The error itself names
/// files of the machine, which students need not know.
const PREVENTED: &str = "the machine that grades prevented it";

/// As [`OTHER_COURSE`]. What the run leaves behind in its process may decide, for instance.
const NO_FAILURE: &str = "the repeated run did not fail, so the failure depends on something \
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

/// A run that was made with a recorder.
struct Drawn {
    run: Run,
    picture: Picture,
    /// The real time that its process took.
    time: Duration,
    /// Whether checkers were given more time.
    is_patient: bool,
}

/// What was found out about a test.
struct Explained<'c> {
    case: &'c TestCase,
    picture: Picture,
    smaller: Option<Smaller>,
    /// What the machine has prevented.
    problems: Vec<Error>,
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
                if failure.is_unwritten() {
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
    /// the smallest run, for `workers` tests at a time; `None` if interrupted. Problems of the machine
    /// go to `warn`.
    pub(crate) fn add(
        &self,
        labs: &mut [LabResult],
        cases: &[TestCase],
        workers: usize,
        warn: impl Fn(&str),
    ) -> Option<()> {
        let jobs = jobs(labs, cases);
        // An error would stop all work.
        let work = |job| Ok(self.explain(&job));
        let ending = pool::run(jobs.into_iter(), workers, self.judge.stop(), work, |explained| {
            let Explained { case, picture, smaller, problems } = explained;
            for problem in problems {
                warn(&format!("picture of {}: {problem}", case.name));
            }
            let lab = labs.iter_mut().find(|lab| lab.lab == case.lab);
            let parts = lab.into_iter().flat_map(|lab| &mut lab.parts);
            let mut tests = parts.flat_map(|part| &mut part.tests);
            let test = tests.find(|test| test.test == case.name);
            if let Some(failure) = test.and_then(|test| test.failures.first_mut()) {
                (failure.picture, failure.smaller) = (Some(picture), smaller);
            }
            Ok(())
        });
        fs::remove_dir(self.out.join(&self.directory)).ok(); // If no page is in it.
        matches!(ending, Ok(Ending::Finished)).then_some(())
    }

    /// Draws the run of a job, and makes it smaller; `None` if interrupted. Whatever goes wrong is
    /// told on the page: the scores are known by now, and must not be lost.
    fn explain<'c>(&self, job: &Job<'c>) -> Option<Explained<'c>> {
        let case = job.case;
        let missing = |why: &str, problems| {
            let picture = Picture::Missing(why.to_string());
            Some(Explained { case, picture, smaller: None, problems })
        };
        if !job.is_replayable {
            let why = "real time or a limit ended the run, so it cannot be repeated exactly";
            return missing(why, Vec::new());
        }
        let drawn = match told(self.repeat(job))? {
            Ok(drawn) => drawn,
            Err(problem) => return missing(PREVENTED, vec![problem]),
        };
        if let Some(why) = why_not(&job.hash, &drawn.run) {
            self.remove(&drawn.picture);
            return missing(why, Vec::new());
        }
        let mut explained =
            Explained { case, picture: drawn.picture.clone(), smaller: None, problems: Vec::new() };
        if job.is_first {
            explained.smaller = Some(match told(self.shrink(job, &drawn))? {
                Ok(smaller) => smaller,
                Err(problem) => {
                    explained.problems.push(problem);
                    Smaller::Nothing(PREVENTED.to_string())
                }
            });
        }
        Some(explained)
    }

    /// Draws the run of a job, as patiently as it takes to judge it; `None` if interrupted.
    fn repeat(&self, job: &Job<'_>) -> Result<Option<Drawn>, Error> {
        let draw = |is_patient| {
            let mut assignment = Assignment::new(&*job.case.name, job.seed, Some(POLICY));
            assignment.patient = is_patient;
            self.draw(job.case, assignment, "")
        };
        let drawn = draw(false)?;
        let is_undecided = |Drawn { run, .. }: &Drawn| {
            run.verdict == Verdict::Unknown && run.trace_hash == job.hash
        };
        if drawn.as_ref().is_some_and(is_undecided) { draw(true) } else { Ok(drawn) }
    }

    /// Makes a run with a recorder and writes its page; `None` if interrupted.
    fn draw(
        &self,
        case: &TestCase,
        assignment: Assignment,
        kind: &str,
    ) -> Result<Option<Drawn>, Error> {
        let Self { directory, ending, .. } = self;
        let page = format!("{directory}/{}{ending}{kind}.html", case.name);
        let directory = self.out.join(directory);
        fs::create_dir_all(&directory).map_err(Error::file("create", &directory))?;
        let path = self.out.join(&page);
        let recording = path.with_extension("jsonl");
        let (is_patient, begun) = (assignment.patient, Instant::now());
        let run = self.judge.run_assigned(case, assignment, &Output::Dropped, Some(&recording));
        let time = begun.elapsed();
        let text = fs::read_to_string(&recording).unwrap_or_default();
        fs::remove_file(&recording).ok(); // It may not exist.
        let Some(run) = run? else { return Ok(None) };
        let html = picture::html(&text);
        let picture = match () {
            () if text.is_empty() => {
                Picture::Missing("the repeated run has left no recording".to_string())
            }
            () if html.len() > PAGE => {
                Picture::Missing("the recording of the run is too large".to_string())
            }
            () => {
                let written = fs::write(&path, html).map_err(Error::file("write", &path));
                let picture = Picture::Page(page);
                if written.is_err() {
                    self.remove(&picture);
                }
                written.map(|()| picture)?
            }
        };
        Ok(Some(Drawn { run, picture, time, is_patient }))
    }

    /// Searches for the smallest run that fails as the drawn run of a job does; `None` if
    /// interrupted.
    fn shrink(&self, job: &Job<'_>, drawn: &Drawn) -> Result<Option<Smaller>, Error> {
        let nothing = |why: &str| Ok(Some(Smaller::Nothing(why.to_string())));
        let (case, first) = (job.case, &drawn.run);
        if drawn.is_patient {
            return nothing("the checker gives up without more time");
        }
        let Some(failure) = &first.failure else { return nothing(NO_FAILURE) };
        let violated = Violated::of(failure);
        // The process of a recorded run has made it twice.
        let limits = Trials::limits(drawn.time / 2).within(self.judge.limits().wall);
        let limits = Limits { resources: OF_RUN, ..limits };
        let judge = Judge::new(limits, self.judge.stop().part())?.wrap(self.confinement.wrap());
        let effort = Effort { limit: Some(SEARCH), workers: 1 };
        let trials = Trials::new(case, first, violated.clone(), judge, effort);
        let Some(best) = trials.search(job.seed)? else {
            let runs = trials.runs();
            return nothing(&format!(
                "none of {runs} runs with accidents that can be chosen breaks the same property"
            ));
        };
        let all = trials.count_all(best.seed)?;
        let mut assignment = Assignment::new(&*case.name, best.seed, Some(Policy::Stall));
        assignment.accidents = Some(Accidents::only(best.ids()));
        let drawn = self.draw(case, assignment, ".smallest")?;
        let Some(Drawn { run, picture, .. }) = drawn else { return Ok(None) };
        let is_alike = run.failure.as_ref().is_some_and(|it| Violated::of(it) == violated);
        if !is_alike {
            self.remove(&picture);
            return nothing(cut_short(&run).unwrap_or(OTHER_COURSE));
        }
        Ok(Some(Smaller::Run(Smallest::new(&run, all, picture))))
    }

    /// Removes the page of a run that is not the one to show.
    fn remove(&self, picture: &Picture) {
        if let Picture::Page(page) = picture {
            fs::remove_file(self.out.join(page)).ok(); // Nothing links to it.
        }
    }
}

/// Why a repeated run tells nothing of the code, if it does not.
fn cut_short(run: &Run) -> Option<&'static str> {
    match run.verdict {
        Verdict::Harness => Some("the machine prevented the repeated run"),
        _ if !run.is_replayable() => Some("real time or a limit ended the repeated run"),
        _ => None,
    }
}

/// Why a repeated run is not the failed one with this hash, if it is not.
fn why_not(hash: &str, run: &Run) -> Option<&'static str> {
    let other = match run.verdict {
        _ if run.trace_hash != hash => Some(OTHER_COURSE),
        Verdict::Unknown => Some("the checker gave up on the repeated run"),
        verdict if !verdict.is_failure() => Some(NO_FAILURE),
        _ => None,
    };
    cut_short(run).or(other)
}

/// What came of a step; `None` if it was interrupted.
fn told<T>(result: Result<Option<T>, Error>) -> Option<Result<T, Error>> {
    match result {
        Ok(found) => found.map(Ok),
        Err(Error::Interrupted) => None,
        Err(error) => Some(Err(error)),
    }
}

#[cfg(test)]
mod tests;
