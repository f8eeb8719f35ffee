//! `cargo grader handout --check`: whether students can work with a handout.

use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use contract::record::{Exit, Run};
use contract::settings::{Policy, forget_verbosity};
use judge::catalog::Lab;
use judge::pool::{self, Ending};
use judge::{Catalog, Error, Judge, Limits, Output, Resources, Stop, TestCase, Workspace, cargo};
use tempfile::TempDir;

use super::contents::{Handout, Owner, Selection};
use super::leak::Solutions;
use super::links;
use super::repository::{self, git};
use crate::grade::slot::{Slot, files_below};
use crate::grade::submission::{self, Submission};
use crate::progress::ProgressLine;

/// The time limit of a run. On a skeleton a test fails at once; with the reference, tests of lab 1
/// take up to half a minute.
const TIME: Duration = Duration::from_secs(120);

/// What the report of a test on a skeleton says.
const STUB: &str = "is not written yet: ";

/// Archives of `cargo lab pack`, by the release whose handout they were made in: a later release must
/// build with them, so that nothing breaks in the middle of a term.
const RELEASES: &str = "grader/tests/releases";

/// The seed of all runs.
const SEED: u64 = 1;

/// What the checks share.
struct Check<'a> {
    workspace: &'a Workspace,
    handout: &'a Handout,
    selection: &'a Selection,
    progress: &'a ProgressLine,
    catalog: Catalog,
    slot: Slot,
    judge: Judge,
}

/// What a check found: a line for each problem.
type Problems = Vec<String>;

/// Runs all checks, and prints a line for each.
///
/// # Errors
/// If a check cannot be made.
pub(crate) fn run(
    workspace: &Workspace,
    handout: &Handout,
    selection: &Selection,
    progress: &ProgressLine,
) -> Result<Exit, Error> {
    let limits =
        Limits { wall: TIME, cpu: Some(TIME), output: 16 << 20, resources: Resources::default() };
    let judge = Judge::new(limits, Stop::on_signals()?)?.wrap(Box::new(|mut command| {
        forget_verbosity(&mut command);
        command
    }));
    let check = Check {
        workspace,
        handout,
        selection,
        progress,
        catalog: workspace.catalog()?,
        slot: Slot::open(&workspace.target()?.join("grader/slot"), handout.clone())?,
        judge,
    };
    let mut exit = Exit::Passed;
    let mut step = |claim: &str, problems: &dyn Fn() -> Result<Problems, Error>| {
        progress.set(claim.to_string());
        let problems = problems()?;
        let word = if problems.is_empty() { "ok     " } else { "FAILED " };
        progress.print(&format!("{word} {claim}"));
        for problem in &problems {
            progress.print(&format!("    {}", problem.replace('\n', "\n    ")));
            exit = Exit::Failed;
        }
        Ok::<_, Error>(())
    };
    step("no part of a solution is in it", &|| check.no_solution())?;
    step("the guides quote what the skeletons say", &|| Ok(check.wrong_quotes()))?;
    step("links lead to files that it has", &|| Ok(links::dead(handout)))?;
    step("made twice, it is the same", &|| check.is_reproducible())?;
    step("students can pull the next release without a conflict", &|| check.can_be_pulled())?;
    step("skeletons and tests build without warnings", &|| check.builds_without_warnings())?;
    step("what students had from earlier releases builds", &|| check.earlier_work_builds())?;
    step("each test fails on the skeleton and names what is missing", &|| check.skeleton_fails())?;
    step("the reference passes each test in its tree", &|| check.reference_passes())?;
    Ok(exit)
}

impl Check<'_> {
    fn no_solution(&self) -> Result<Problems, Error> {
        let solutions = Solutions::read(self.workspace, self.handout, self.selection)?;
        let leaks = solutions.leaks(self.handout)?.into_iter();
        Ok(leaks
            .map(|leak| format!("{}:{}: {}", leak.file.display(), leak.line, leak.text))
            .collect())
    }

    /// Quotes of a missing function, `NAME is not written yet: FILE:LINE`, that do not lead to it.
    fn wrong_quotes(&self) -> Problems {
        let text = |path: &Path| {
            let file = self.handout.files.get(path);
            file.map(|file| String::from_utf8_lossy(&file.contents).into_owned())
                .unwrap_or_default()
        };
        let mut problems = Problems::new();
        for path in self.handout.files.keys().filter(|path| path.ends_with("README.md")) {
            for quote in text(path).lines().filter(|line| line.contains(STUB)) {
                let (before, place) = quote.split_once(STUB).unwrap_or_default();
                let function = before.trim_end().rsplit(' ').next().unwrap_or_default();
                let (file, line) = place.trim().rsplit_once(':').unwrap_or_default();
                let source = text(Path::new(file));
                let line = line.parse().ok().and_then(|line: usize| source.lines().nth(line - 1));
                if !line
                    .is_some_and(|line| line.contains(&format!("your_code_here(\"{function}\"")))
                {
                    problems.push(format!("{}: {quote}", path.display()));
                }
            }
        }
        problems
    }

    fn is_reproducible(&self) -> Result<Problems, Error> {
        let again = Handout::new(self.workspace, self.selection)?;
        let differs =
            |path: &&std::path::PathBuf| again.files.get(*path) != self.handout.files.get(*path);
        let all = self.handout.files.keys().chain(again.files.keys());
        Ok(all.filter(differs).map(|path| format!("{} differs", path.display())).collect())
    }

    /// A student has changed a skeleton; the next release changes, adds and removes locked files.
    fn can_be_pulled(&self) -> Result<Problems, Error> {
        let directory = TempDir::new().map_err(Error::file("create", Path::new("a directory")))?;
        let (staff, student) = (directory.path().join("staff"), directory.path().join("student"));
        let mut first = self.handout.clone();
        first.insert("docs/withdrawn.md", b"withdrawn\n".to_vec());
        super::release::describe(&mut first, self.selection)?;
        repository::write(self.workspace, &first, &staff)?;
        let here = directory.path();
        git(here, &["clone", "--quiet", "staff", "student"])?;
        let own = self.handout.files.iter().find(|(_, file)| file.owner == Owner::Student);
        let Some((own, _)) = own else { return Ok(Problems::new()) };
        let work = "// A student's work.\n";
        fs::write(student.join(own), work).map_err(Error::file("write", &student.join(own)))?;
        let author = ["-c", "user.name=student", "-c", "user.email=student@course.invalid"];
        let commit = ["commit", "--quiet", "--no-verify", "--all", "--message", "Work"];
        git(&student, &[&author[..], &commit[..]].concat())?;
        let mut next = self.handout.clone();
        next.insert("docs/added.md", b"added\n".to_vec());
        next.insert("clippy.toml", b"# Another.\n".to_vec());
        super::release::describe(&mut next, self.selection)?;
        repository::write(self.workspace, &next, &staff)?;
        let pull = ["pull", "--quiet", "--no-rebase", "--no-edit"];
        let mut problems = Problems::new();
        if let Err(error) = git(&student, &[&author[..], &pull[..]].concat()) {
            problems.push(error.to_string());
        }
        if fs::read_to_string(student.join(own)).is_ok_and(|text| text != work) {
            problems.push(format!("{} is not the student's any more", own.display()));
        }
        if student.join("docs/withdrawn.md").exists() || !student.join("docs/added.md").exists() {
            problems.push("locked files are not those of the next release".to_string());
        }
        Ok(problems)
    }

    fn builds_without_warnings(&self) -> Result<Problems, Error> {
        for lab in &self.selection.labs {
            self.slot.lay(lab, None)?;
        }
        let mut command = cargo();
        command.args(["clippy", "--offline", "--locked", "--quiet", "--all-targets"]);
        self.selection.labs.iter().for_each(|lab| {
            command.args(["-p", lab]);
        });
        command.args(["--", "-D", "warnings"]);
        command.current_dir(self.slot.tree()).env("CARGO_TARGET_DIR", self.slot.target());
        let output = command.output().map_err(Error::file("run cargo in", &self.slot.tree()))?;
        let problem = String::from_utf8_lossy(&output.stderr).into_owned();
        Ok(if output.status.success() { Problems::new() } else { vec![problem] })
    }

    /// Skeletons and solutions that were packed with an earlier release, see [`RELEASES`].
    fn earlier_work_builds(&self) -> Result<Problems, Error> {
        let root = self.workspace.root().join(RELEASES);
        let labs: Vec<&str> = self.catalog.labs.iter().map(|lab| &*lab.name).collect();
        let mut problems = Problems::new();
        for path in files_below(&root)? {
            for submission in submission::find(&[root.join(&path)], &labs, None)? {
                for lab in &self.selection.labs {
                    self.slot.lay(lab, submission.labs.get(lab))?;
                }
                let submitted = self.labs().filter(|lab| submission.labs.contains_key(&lab.name));
                let (_, unbuilt) = self.build(&submitted.collect::<Vec<_>>())?;
                let refused = submission.refused.iter().cloned().chain(unbuilt);
                problems.extend(refused.map(|why| format!("{}: {why}", path.display())));
            }
        }
        Ok(problems)
    }

    fn skeleton_fails(&self) -> Result<Problems, Error> {
        for lab in &self.selection.labs {
            self.slot.lay(lab, None)?;
        }
        let labs: Vec<&Lab> =
            self.labs().filter(|lab| !self.selection.given.contains(&lab.name)).collect();
        let (cases, mut problems) = self.build(&labs)?;
        let slowest = Mutex::new((Duration::ZERO, String::new()));
        let runs = self.run(&cases, |case, time| {
            let mut slowest = slowest.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if time > slowest.0 {
                *slowest = (time, case.name.clone());
            }
        })?;
        for run in runs {
            let report = run.failure.as_ref().map_or("", |failure| &failure.report);
            if !run.verdict.is_failure() {
                problems.push(format!("{}: {}", run.test, run.verdict.word()));
            } else if !report.contains(STUB) {
                problems.push(format!("{}: {}", run.test, run.reason()));
            }
        }
        let (time, test) = slowest.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        self.progress
            .print(&format!("        the slowest takes {:.1} s: {test}", time.as_secs_f64()));
        Ok(problems)
    }

    fn reference_passes(&self) -> Result<Problems, Error> {
        let own = Submission::of_workspace(self.workspace)?;
        for lab in &self.selection.labs {
            self.slot.lay(lab, own.labs.get(lab))?;
        }
        let (cases, mut problems) = self.build(&self.labs().collect::<Vec<_>>())?;
        let failed = self
            .run(&cases, |_, _| ())?
            .into_iter()
            .filter(|run| run.verdict.exit() != Exit::Passed);
        problems.extend(failed.map(|run| format!("{}: {}", run.test, run.reason())));
        Ok(problems)
    }

    /// The labs, in the order of the course.
    fn labs(&self) -> impl Iterator<Item = &Lab> {
        self.catalog.labs.iter().filter(|lab| self.selection.labs.contains(&lab.name))
    }

    /// The tests of some labs, as they are in the tree now, and what does not compile.
    fn build(&self, labs: &[&Lab]) -> Result<(Vec<TestCase>, Problems), Error> {
        let (mut cases, mut problems) = (Vec::new(), Problems::new());
        for lab in labs {
            self.progress.set(format!("building {}", lab.name));
            match self.slot.build(lab, self.judge.stop(), None)? {
                Ok(tests) => cases.extend(tests),
                Err(output) => problems.push(format!("{} does not compile\n{output}", lab.name)),
            }
        }
        Ok((cases, problems))
    }

    /// Runs each test once, and tells `took` for how long.
    fn run(
        &self,
        cases: &[TestCase],
        took: impl Fn(&TestCase, Duration) + Sync,
    ) -> Result<Vec<Run>, Error> {
        let mut runs = Vec::new();
        let judge = &self.judge;
        let work = |case: &TestCase| {
            let begun = Instant::now();
            let run = judge.run(case, SEED, Some(Policy::default()), &Output::Dropped);
            took(case, begun.elapsed());
            run
        };
        let stop = self.judge.stop();
        let ending = pool::run(cases.iter(), pool::processors(), stop, work, |run| {
            runs.push(run);
            self.progress.set(format!("{} of {} tests", runs.len(), cases.len()));
            Ok(())
        })?;
        if ending == Ending::Interrupted { Err(Error::Interrupted) } else { Ok(runs) }
    }
}
