//! The reference's own tests, on real processes: what it promises beyond the paper and the
//! assignment. They give no points, and are not part of the lab.

#[allow(dead_code, reason = "the grading tests use the rest")]
#[path = "../grading/corpus.rs"]
mod corpus;
#[allow(dead_code, reason = "the grading tests use the rest")]
#[path = "../grading/job.rs"]
mod job;
#[allow(dead_code, reason = "the grading tests use the rest")]
#[path = "../grading/oracle.rs"]
mod oracle;

mod agreement;
mod books;
mod descriptors;
mod directory;
mod failures;
mod inputs;
mod messages;
mod programs;
mod silence;
mod usage;

use std::os::unix::fs::symlink;
use std::path::PathBuf;

use tempfile::TempDir;

use crate::job::Job;

/// The program whose tests are all here.
const SEQUENTIAL: &str = env!("CARGO_BIN_EXE_mrsequential");

/// The socket of a job under a short path, for tests that use it themselves: the path of a socket
/// has a limit, and that of the job's directory may be long.
struct ShortPath(TempDir);

impl ShortPath {
    /// A short path to the directory of a job.
    fn to(job: &Job) -> Self {
        let directory = TempDir::new_in("/tmp").expect("temporary directories can be made");
        symlink(job.path(""), directory.path().join("job")).expect("the directory is ours");
        Self(directory)
    }

    /// The path of the socket.
    fn socket(&self) -> PathBuf {
        self.0.path().join("job/mr.sock")
    }
}
