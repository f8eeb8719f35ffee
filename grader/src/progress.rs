//! Tells the user what is going on whenever it takes long.

use std::io::{IsTerminal as _, Write as _};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long nothing may be heard, at first.
const FIRST: Duration = Duration::from_secs(2);
/// How often to tell, when every message is a line of its own that stays.
const LATER: Duration = Duration::from_secs(10);

/// What is going on, shown on standard error by a thread of its own.
#[derive(Debug)]
pub(crate) struct Progress(Arc<Shared>);

/// What the owner and the thread share.
#[derive(Debug)]
struct Shared {
    status: Mutex<Status>,
    changed: Condvar,
    /// On a terminal, a message replaces the one before it.
    terminal: bool,
}

/// What is being done now.
#[derive(Debug)]
struct Status {
    what: String,
    /// When the next message is due.
    due: Instant,
    /// Whether the terminal shows a message at the moment.
    shown: bool,
    over: bool,
}

impl Progress {
    /// Nothing is going on yet.
    pub(crate) fn new() -> Self {
        let status =
            Status { what: String::new(), due: Instant::now() + FIRST, shown: false, over: false };
        let shared = Arc::new(Shared {
            status: Mutex::new(status),
            changed: Condvar::new(),
            terminal: std::io::stderr().is_terminal(),
        });
        let ticker = Arc::clone(&shared);
        thread::spawn(move || ticker.tell());
        Self(shared)
    }

    /// This is being done from now on.
    pub(crate) fn set(&self, what: String) {
        self.0.lock().what = what;
    }

    /// Prints a result, which need not be followed by a message for a while.
    pub(crate) fn print(&self, result: &str) {
        let mut status = self.0.lock();
        self.0.clear(&mut status);
        print(result);
        status.due = Instant::now() + FIRST;
    }
}

/// Prints to standard output.
pub(crate) fn print(text: &str) {
    // A closed pipe is no reason to fail: the exit code still says how it went.
    writeln!(std::io::stdout().lock(), "{text}").ok();
}

impl Drop for Progress {
    fn drop(&mut self) {
        let mut status = self.0.lock();
        self.0.clear(&mut status);
        status.over = true;
        drop(status);
        self.0.changed.notify_all();
    }
}

impl Shared {
    /// The status; a thread that panicked has left it whole.
    fn lock(&self) -> MutexGuard<'_, Status> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes the message from the terminal.
    fn clear(&self, status: &mut Status) {
        if std::mem::take(&mut status.shown) {
            eprint!("\r\x1b[K");
        }
    }

    /// The thread: a message whenever one is due.
    fn tell(&self) {
        let mut status = self.lock();
        while !status.over {
            let now = Instant::now();
            if now >= status.due && !status.what.is_empty() {
                if self.terminal {
                    eprint!("\r\x1b[K  {}", status.what);
                    status.shown = true;
                    status.due = now + FIRST / 4;
                } else {
                    eprintln!("  {}", status.what);
                    status.due = now + LATER;
                }
            }
            let wait = status.due.saturating_duration_since(now).max(FIRST / 10);
            let waited = self.changed.wait_timeout(status, wait);
            status = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
