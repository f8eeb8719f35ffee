//! The coordinator: gives tasks to workers (§3.1), and notices those that fail (§3.3).

use std::{fmt, io, sync::Arc, time::Duration};

use labrpc::{Condvar, Mutex, Service, your_code_here};
// In place of the clocks of `std`.
#[allow(unused_imports, reason = "you will need it, but not on the first day")]
use labrpc::Instant;

use crate::rpc::{Ask, Assignment, Report, ReportReply};
use crate::{JobDirectory, Split};

/// The time after which a task goes to another worker, unless the user wants another one.
pub const TASK_TIMEOUT: Duration = Duration::from_secs(10);

/// The coordinator of a job. A clone is the same coordinator.
#[derive(Clone, Debug)]
pub struct Coordinator {
    #[allow(dead_code, reason = "nothing uses it on the first day")]
    shared: Arc<Shared>,
}

/// What the clones share. What changes is in `state`.
#[derive(Debug)]
#[allow(dead_code, reason = "nothing uses it on the first day")]
struct Shared {
    /// How long a worker may take for a task.
    timeout: Duration,
    /// The number of reduce tasks.
    reduces: u32,
    /// The input of each map task.
    splits: Vec<Split>,
    /// Wakes those that wait for a change of the state.
    news: Condvar,
    /// Let the guard that `lock()` returns end before you wait for anything else.
    state: Mutex<State>,
}

/// What is behind the lock.
#[derive(Debug)]
pub struct State {
    /// The job's files.
    directory: JobDirectory,
    // Your fields here: which tasks are idle, in progress, or completed (§3.2)?
}

/// How far a job is, for the user.
#[derive(Debug, Clone, Copy)]
pub struct JobStatus {
    /// Map tasks that are completed.
    pub maps_done: usize,
    /// All map tasks.
    pub maps: usize,
    /// Reduce tasks that are completed.
    pub reduces_done: usize,
    /// All reduce tasks.
    pub reduces: usize,
    /// Tasks in progress.
    pub running: usize,
    /// How often a task was taken from a worker.
    pub reassigned: u64,
}

/// Why a job has failed, for the user.
#[derive(Debug, Clone)]
pub struct GivenUp(pub String);

impl fmt::Display for GivenUp {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// What the program calls, in this order.
impl Coordinator {
    /// A job that has not begun. Its directory is locked for it.
    pub fn new(splits: Vec<Split>, reduces: u32, timeout: Duration, files: JobDirectory) -> Self {
        let (state, news) = (Mutex::new(State { directory: files }), Condvar::new());
        Coordinator { shared: Arc::new(Shared { timeout, reduces, splits, news, state }) }
    }

    /// The methods that workers call. Each call runs in a task of its own, so many may run at once.
    pub fn service(&self) -> Service {
        let mut service = Service::new("Coordinator");
        let coordinator = self.clone();
        service = service.method("Ask", move |ask| coordinator.handle_ask(ask));
        let coordinator = self.clone();
        service = service.method("Report", move |report| coordinator.handle_report(report));
        service
    }

    /// Workers can connect now. First clears the directory, see `JobDirectory::clear`; a worker that
    /// asks before that has to wait.
    ///
    /// # Errors
    /// If a file cannot be removed.
    pub fn open(&self) -> io::Result<()> {
        your_code_here("Coordinator::open", self)
    }

    /// How far the job is.
    pub fn status(&self) -> JobStatus {
        your_code_here("Coordinator::status", self)
    }

    /// A hint for the user, if the job does not move because no worker calls. Optional.
    pub fn missing_workers(&self) -> Option<String> {
        None
    }

    /// Waits for the end of the job for this long. `None`: it goes on.
    pub fn wait(&self, patience: Duration) -> Option<Result<(), GivenUp>> {
        your_code_here("Coordinator::wait", (self, patience))
    }

    /// The job has ended, and the program is about to exit. Do the workers know? Give them a moment,
    /// but not more than two seconds: some may be dead. Then `JobDirectory::sweep` or `retract`.
    ///
    /// # Errors
    /// If a file cannot be removed.
    pub fn finish(&self) -> io::Result<()> {
        your_code_here("Coordinator::finish", self)
    }

    /// The user has interrupted the job: see `JobDirectory::retract`.
    ///
    /// # Errors
    /// If a file cannot be removed.
    pub fn cancel(&self) -> io::Result<()> {
        your_code_here("Coordinator::cancel", self)
    }

    /// The directory is free for other jobs.
    pub fn release(&self) {
        let mut state = self.shared.state.lock();
        state.directory.release();
    }
}

/// What workers call.
impl Coordinator {
    /// A worker is idle. Which task does it get? See §3.1 and §3.3 for the order of map and reduce
    /// tasks, and for tasks that take too long.
    ///
    /// The call may wait for a task for a while, half a second for instance. It must not hold the
    /// lock meanwhile: see `labrpc::Condvar`.
    fn handle_ask(&self, request: Ask) -> Assignment {
        your_code_here("Coordinator::handle_ask", (self, request))
    }

    /// A worker has ended a task. Its files have temporary names; `JobDirectory::publish` gives
    /// them the names in `given/files.rs`. Which of several reports of one task counts, and why must
    /// it be only one? See §3.3, "Semantics in the Presence of Failures".
    fn handle_report(&self, report: Report) -> ReportReply {
        your_code_here("Coordinator::handle_report", (self, report))
    }
}
