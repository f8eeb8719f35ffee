//! The directory of a job: one job at a time, and no file is removed or overwritten that the job
//! has not made.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use labrpc::rng;
use rand::RngExt;
use tempfile::TempPath;

use crate::given::descriptors;
use crate::given::files::{self, JobId, Kind, Scratch, Stamp};
use crate::given::lock_file::{LOCK, LockFile};
use crate::given::run_file::about;
use crate::given::split::Split;

/// A directory in which one job runs.
///
/// * No other job runs in it as long as this lives.
/// * A file that is there under a name of the job's when it is claimed stays as it is, unless
///   [`Claim::replace`] says otherwise. So does one that appears later.
/// * [`retract`](Self::retract) removes what this job has made, and nothing else.
#[derive(Debug)]
pub struct JobDirectory {
    path: PathBuf,
    job: JobId,
    /// What an earlier job has left, to be removed before the first task.
    stale: Vec<(PathBuf, Stamp)>,
    /// The files that this job has made.
    published: BTreeMap<PathBuf, Stamp>,
    /// Held until the job is over.
    lock: Option<LockFile>,
}

/// What a job is going to do in its directory.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// Its inputs, which it must not touch.
    pub inputs: &'a [Split],
    /// The number of its map tasks that leave intermediate files.
    pub maps: usize,
    /// The number of its outputs.
    pub reduces: u32,
    /// The path of its socket, if it has one.
    pub socket: Option<&'a Path>,
    /// Whether to remove what an earlier job has left there.
    pub replace: bool,
}

impl JobDirectory {
    /// Claims the directory at `path` for a new job. Changes nothing in it but to lock it.
    ///
    /// # Errors
    /// If the job would do harm there, for the user.
    pub fn claim(path: &Path, claim: &Claim<'_>) -> Result<Self, String> {
        claim.check_socket(path)?;
        let inputs = claim.stamps_of_inputs()?;
        if let Ok(lock) = fs::metadata(path.join(LOCK)) {
            check_not_input(LOCK, &Stamp::of(&lock), &inputs)?;
        }
        let job = JobId(rng().random());
        let scratch = Scratch::new(path, job, descriptors::per_task(1));
        let lock = LockFile::take(&scratch, job)?;
        let stale = claim.files_in_the_way(path, &inputs)?;
        Ok(Self { path: path.into(), job, stale, published: BTreeMap::new(), lock: Some(lock) })
    }

    /// Removes what an earlier job has left, if the claim says so.
    ///
    /// # Errors
    /// If a file cannot be removed.
    pub(crate) fn clear(&mut self) -> io::Result<()> {
        self.stale.drain(..).try_for_each(|(path, stamp)| stamp.remove(&path))
    }

    /// Lets other jobs run in the directory.
    pub(crate) fn release(&mut self) {
        self.lock = None;
    }

    /// The job.
    pub(crate) fn job(&self) -> JobId {
        self.job
    }

    /// Where files of the job are made by this process, with one task at a time.
    pub(crate) fn scratch(&self) -> Scratch {
        Scratch::new(&self.path, self.job, descriptors::per_task(1))
    }

    /// Gives unfinished files their names: all of them, or none.
    ///
    /// # Errors
    /// If one is missing, or there is a file of its name already.
    pub(crate) fn publish(&mut self, files: &[(String, String)]) -> io::Result<()> {
        for (done, (from, to)) in files.iter().enumerate() {
            if let Err(error) = self.publish_one(from, to) {
                for (_, name) in &files[..done] {
                    self.retract_one(&self.path.join(name))?;
                }
                return Err(error);
            }
        }
        Ok(())
    }

    /// Gives one unfinished file its name.
    fn publish_one(&mut self, from: &str, to: &str) -> io::Result<()> {
        let (from, to) = (self.path.join(from), self.path.join(to));
        let stamp = Stamp::of_entry(&from)?;
        TempPath::try_from_path(from)?.persist_noclobber(&to).map_err(|error| {
            match error.error.kind() {
                ErrorKind::AlreadyExists => io::Error::new(
                    ErrorKind::AlreadyExists,
                    format!("{}: this file has appeared while the job ran", to.display()),
                ),
                _ => about(&to, &error.error),
            }
        })?;
        self.published.insert(to, stamp);
        Ok(())
    }

    /// Removes a file that this job has made.
    fn retract_one(&mut self, path: &Path) -> io::Result<()> {
        self.published.remove(path).map_or(Ok(()), |stamp| stamp.remove(path))
    }

    /// Removes all that this job has made, so that some of its outputs are not taken for all.
    ///
    /// # Errors
    /// If a file cannot be removed.
    pub(crate) fn retract(&mut self) -> io::Result<()> {
        while let Some((path, stamp)) = self.published.pop_first() {
            stamp.remove(&path)?;
        }
        self.sweep()
    }

    /// Removes unfinished files of this job, which killed workers have left.
    ///
    /// # Errors
    /// If a file cannot be removed.
    pub(crate) fn sweep(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.path).map_err(|error| about(&self.path, &error))? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            if name.is_some_and(|name| files::is_unfinished(name, self.job))
                && let Err(error) = fs::remove_file(&path)
                && error.kind() != ErrorKind::NotFound
            // Its worker removed it just now.
            {
                return Err(about(&path, &error));
            }
        }
        Ok(())
    }
}

impl Claim<'_> {
    /// Whether a file of this name would be in the job's way.
    fn concerns(&self, name: &str) -> bool {
        match files::kind_of(name) {
            Some(Kind::Unfinished) => self.replace,
            Some(Kind::Intermediate { map, reduce }) => {
                (map as usize) < self.maps && reduce < self.reduces
            }
            // Any output, whatever its number: the user takes mr-out-* for the job's.
            Some(Kind::Output(_)) => true,
            None => false,
        }
    }

    /// Checks that the socket does not take the name of another file of the job.
    fn check_socket(&self, directory: &Path) -> Result<(), String> {
        let Some(socket) = self.socket else { return Ok(()) };
        let Some(name) = socket.file_name().and_then(|name| name.to_str()) else { return Ok(()) };
        let parent = socket.parent().filter(|parent| !parent.as_os_str().is_empty());
        let stamp = |path: &Path| fs::metadata(path).map(|metadata| Stamp::of(&metadata));
        let is_inside = match (stamp(parent.unwrap_or(Path::new("."))), stamp(directory)) {
            (Ok(parent), Ok(directory)) => parent.is_same_file(&directory),
            _ => false, // Opening the socket will say what is wrong.
        };
        let is_taken = name == LOCK || files::kind_of(name).is_some();
        if is_inside && is_taken {
            let socket = socket.display();
            return Err(format!("--socket {socket}: this is the name of another file of the job"));
        }
        Ok(())
    }

    /// The stamps of the files that the inputs are.
    fn stamps_of_inputs(&self) -> Result<Vec<Stamp>, String> {
        let mut files: Vec<&str> = self.inputs.iter().map(|split| &*split.file).collect();
        files.dedup();
        let stamp = |file: &str| {
            let metadata = fs::metadata(file).map_err(|error| about(Path::new(file), &error));
            metadata.map(|metadata| Stamp::of(&metadata)).map_err(|error| error.to_string())
        };
        files.into_iter().map(stamp).collect()
    }

    /// What must be removed before the job can begin.
    fn files_in_the_way(
        &self,
        directory: &Path,
        inputs: &[Stamp],
    ) -> Result<Vec<(PathBuf, Stamp)>, String> {
        let problem = |error| about(directory, &error).to_string();
        let mut names = Vec::new();
        for entry in fs::read_dir(directory).map_err(problem)? {
            names.extend(entry.map_err(problem)?.file_name().into_string()); // Others are not ours.
        }
        names.retain(|name| self.concerns(name));
        names.sort();
        let mut found = Vec::new();
        for name in &names {
            let path = directory.join(name);
            if let Ok(metadata) = fs::metadata(&path) {
                check_not_input(name, &Stamp::of(&metadata), inputs)?;
            }
            match fs::symlink_metadata(&path) {
                Ok(metadata) if metadata.is_dir() => {
                    return Err(format!("{name}: a directory has the name of a file of the job"));
                }
                Ok(metadata) => found.push((path, Stamp::of(&metadata))),
                Err(_) => {} // It was removed just now.
            }
        }
        match &names[..] {
            [first, others @ ..] if !self.replace => Err(in_the_way(first, others.len())),
            _ => Ok(found),
        }
    }
}

/// Checks that a file that the job would replace is not one of its inputs.
fn check_not_input(name: &str, stamp: &Stamp, inputs: &[Stamp]) -> Result<(), String> {
    if inputs.iter().any(|input| input.is_same_file(stamp)) {
        return Err(format!(
            "{name}: this input has the name of a file that the job makes: move it"
        ));
    }
    Ok(())
}

/// Files have names of the job's.
fn in_the_way(first: &str, others: usize) -> String {
    let others = match others {
        0 => String::new(),
        1 => ", and so is 1 more file of an earlier job".to_string(),
        _ => format!(", and so are {others} more files of an earlier job"),
    };
    format!("{first} is already there{others}: remove them, or use --replace")
}
