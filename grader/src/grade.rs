//! `cargo grade`: builds, runs and scores submissions.
//!
//! | module | what it does |
//! |---|---|
//! | [`submission`] | reads what is submitted |
//! | [`slot`] | the tree in which submissions are built: the handout with the submitted sources |
//! | [`confine`] | the sandbox in which they are built and run |
//! | [`seeds`] | which seeds a test runs with |
//! | [`known`] | sources that no submission should contain |
//! | [`session`] | grades one submission |
//! | [`runs`] | runs its tests |
//! | [`pictures`] | draws failed runs, and makes them smaller |
//! | [`results`] | scores, and the schema of `results.json` |
//! | [`scorecard`] | the result as text |
//! | [`outputs`] | files for students, staff and other programs |

pub(crate) mod confine;
mod known;
pub(crate) mod outputs;
mod pictures;
pub(crate) mod results;
mod runs;
mod scorecard;
mod seeds;
mod session;
pub(crate) mod slot;
pub(crate) mod submission;

use std::fs;
use std::path::{Path, PathBuf};

use contract::record::Exit;
use judge::{Error, Workspace};

use crate::cli::GradeOptions;
use crate::grade::outputs::format::Format;
use crate::grade::outputs::text::{file_name, visible_line};
use crate::grade::results::{Graded, Obstacle};
use crate::grade::session::Session;
use crate::grade::submission::Submission;
use crate::handout::contents::Selection;
use crate::progress::print;

/// Runs the command.
///
/// # Errors
/// If nothing can be graded.
pub(crate) fn run(options: &GradeOptions) -> Result<Exit, Error> {
    let workspace = Workspace::find()?;
    let submissions = match &options.submissions[..] {
        [] => vec![Submission::of_workspace(&workspace)?],
        paths => submissions(&workspace, options, paths)?,
    };
    if options.format.contains(&Format::Gradescope) && submissions.len() != 1 {
        return Err(Error::harness("--format gradescope is for exactly one submission"));
    }
    let out = match options.output.as_ref().or(options.into.as_ref()) {
        Some(out) => out.clone(),
        // Scores with a few seeds must not mix with those of a class.
        None if options.submissions.is_empty() => workspace.root().join("lab-runs/grade-workspace"),
        None => workspace.root().join("lab-runs/grade"),
    };
    let session = Session::open(&workspace, options, &out)?;
    fs::create_dir_all(&out).map_err(Error::file("create", &out))?;
    let mut all = Vec::new();
    for submission in &submissions {
        let graded = match options.into {
            Some(_) => regrade(&session, submission, &out)?,
            None => grade(&session, submission, &out)?,
        };
        let Some(graded) = graded else { break };
        if submissions.len() > 1 {
            let (score, points) = (scorecard::number(graded.score), graded.points);
            let id = visible_line(&graded.id);
            session.progress.print(&format!("{id:<40} {score:>6} / {points}"));
        } else {
            session.progress.print(scorecard::text(&graded).trim_end());
        }
        all.push(graded);
    }
    let is_interrupted = all.len() < submissions.len();
    drop(session);
    if !all.is_empty() {
        outputs::write(&out, &options.format)?;
    }
    print(&format!("results: {}", workspace.shorten(&out).display()));
    Ok(exit(&all, is_interrupted))
}

/// The submissions at these paths. Their sources may stand at the top if only one lab is graded.
fn submissions(
    workspace: &Workspace,
    options: &GradeOptions,
    paths: &[PathBuf],
) -> Result<Vec<Submission>, Error> {
    let selection = Selection::new(workspace, &options.labs, &[])?;
    let labs: Vec<&str> = selection.labs.iter().map(|lab| &**lab).collect();
    let single = match &options.labs[..] {
        [lab] => Some(&**lab),
        _ => None,
    };
    let mut all = submission::find(paths, &labs, single)?;
    if let Some(shard) = options.shard {
        let mut places = 0..;
        all.retain(|_| places.next().is_some_and(|place| shard.includes(place)));
    }
    Ok(all)
}

/// Grades a submission, or reads its result if an earlier run with the same plan has graded it;
/// `None` if interrupted.
fn grade(
    session: &Session<'_>,
    submission: &Submission,
    out: &Path,
) -> Result<Option<Graded>, Error> {
    let path: PathBuf = out.join(file_name(&submission.id, "json"));
    if path.exists() && submission.is_foreign {
        let mut earlier = Graded::read(&path)?;
        let key = session.key(submission);
        if earlier.key == key && !earlier.pending {
            earlier.ignored = session.ignored(submission);
            (earlier.files, earlier.copies) = session.known.of(submission);
            return Ok(Some(earlier));
        }
        let is_same_plan = plan_of(&earlier.key) == plan_of(&key);
        if !is_same_plan && !session.options.replace {
            let path = path.display();
            return Err(Error::harness(format!(
                "{path} is from a command with other options, or of another release: name another \
                 --output, or use --replace"
            )));
        }
    }
    let Some(graded) = session.grade(submission)? else { return Ok(None) };
    graded.write(&path)?;
    Ok(Some(graded))
}

/// Grades some tests of a submission again, in the results of an earlier command; `None` if
/// interrupted.
fn regrade(
    session: &Session<'_>,
    submission: &Submission,
    out: &Path,
) -> Result<Option<Graded>, Error> {
    let path = out.join(file_name(&submission.id, "json"));
    let mut earlier = Graded::read(&path)?;
    if earlier.tree != submission.hash {
        let (path, id) = (path.display(), &submission.id);
        return Err(Error::harness(format!(
            "{path} is of other sources of {id}: grade it as a whole"
        )));
    }
    if seeds_of(&earlier.key) != seeds_of(&session.key(submission)) {
        let path = path.display();
        return Err(Error::harness(format!(
            "{path} has other seeds: use the same --secret and --seeds"
        )));
    }
    let Some(graded) = session.grade(submission)? else { return Ok(None) };
    earlier.replace_tests(graded);
    earlier.write(&path)?;
    Ok(Some(earlier))
}

/// The part of a key that does not depend on the submission.
fn plan_of(key: &str) -> &str {
    key.split_once(' ').map_or("", |(_, plan)| plan)
}

/// The part of a key that says which seeds tests run with.
fn seeds_of(key: &str) -> Option<&str> {
    key.split(' ').find(|word| word.starts_with("seeds="))
}

/// How the command ends. A class always contains failures: then only the work itself counts.
fn exit(all: &[Graded], is_interrupted: bool) -> Exit {
    match all {
        _ if is_interrupted => Exit::Interrupted,
        [one] if one.pending => Exit::Inconclusive,
        [one] => match one.labs.iter().find_map(|lab| lab.obstacle.as_ref()) {
            Some(Obstacle::DoesNotCompile(_)) => Exit::DoesNotCompile,
            Some(_) => Exit::Failed,
            None if one.score < f64::from(one.points) => Exit::Failed,
            None => Exit::Passed,
        },
        all if all.iter().any(|one| one.pending) => Exit::Inconclusive,
        _ => Exit::Passed,
    }
}
