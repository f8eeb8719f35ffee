//! Threads for tasks and handlers, used again and again.
//!
//! A handler may block for as long as it likes, so the pool has no bound: a job goes to the thread
//! that became idle last, which is the likeliest to be awake still, or to a new one. So those that
//! are not needed stay idle, and end.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::runtime::oneshot::OneShot;
use crate::runtime::poison::unpoisoned;
use crate::runtime::wall;

/// Work for a thread.
pub(super) type Job = Box<dyn FnOnce() + Send>;

/// Where an idle thread waits for its next job.
type Inbox = Arc<OneShot<Job>>;

/// The inboxes of all idle threads, that of the one that became idle last at the end.
static IDLE: Mutex<Vec<Inbox>> = Mutex::new(Vec::new());

/// How long an idle thread waits for a job before it ends.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs `job` on a thread of its own. It must not unwind.
pub(super) fn run(job: Job) {
    let idle = unpoisoned(IDLE.lock()).pop();
    match idle {
        Some(inbox) => inbox.put(job),
        None => drop(wall::spawn("labrpc", move || work(job))),
    }
}

/// The life of a thread of the pool.
fn work(first: Job) {
    first();
    let inbox = Inbox::new(OneShot::new());
    loop {
        unpoisoned(IDLE.lock()).push(Arc::clone(&inbox));
        let job = match inbox.look_on_thread(PATIENCE) {
            Some(job) => job,
            None if withdraw(&inbox) => return,
            None => inbox.wait_on_thread(PATIENCE),
        };
        job();
    }
}

/// Removes the inbox of an idle thread; false if it is about to get a job.
fn withdraw(inbox: &Inbox) -> bool {
    let mut idle = unpoisoned(IDLE.lock());
    let place = idle.iter().position(|other| Arc::ptr_eq(other, inbox));
    place.map(|place| idle.remove(place)).is_some()
}
