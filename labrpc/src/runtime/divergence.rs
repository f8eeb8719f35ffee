//! Finds where two runs of one seed went apart.
//!
//! Two replays run at the same time, each on its thread, and their events are compared one by one.

use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Acquire, Ordering::Release};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::time::Duration;

use super::core::SpawnSites;
use super::poison::unpoisoned;
use super::trace::Event;
use super::wall;

/// What usually makes a run depend on something other than its seed.
const USUAL_CAUSES: &str = "usual causes: the order of a std HashMap or HashSet, real time, a real \
                            thread, a static or an address that survives from run to run";

/// How often to ask whether a run that sends no events was given up.
const POLL: Duration = Duration::from_millis(100);

/// One of the two runs.
struct Replay {
    events: Receiver<Vec<Event>>,
    /// Set once the run has ended or was given up.
    over: Arc<AtomicBool>,
    sites: SpawnSites,
    block: std::vec::IntoIter<Event>,
}

/// Replays a run of this seed twice in lockstep and says where the two went apart. `replay` does it
/// once, sends the events, and notes where tasks are spawned.
pub(crate) fn explain(
    seed: u64,
    replay: impl Fn(SyncSender<Vec<Event>>, SpawnSites) + Clone + Send + 'static,
) -> String {
    let mut one = Replay::start(replay.clone());
    let mut other = Replay::start(replay);
    for number in 0_u64.. {
        match (one.next(), other.next()) {
            (None, None) => break,
            (a, b) if a == b => {}
            (a, b) => {
                let (a, b) = (one.describe(a), other.describe(b));
                return format!(
                    "two replays of seed {seed} went apart at event {number}\n    one:   {a}\n    \
                     other: {b}\n    {USUAL_CAUSES}"
                );
            }
        }
    }
    format!(
        "a replay of seed {seed} went another way, but this did not recur when two further replays \
         were compared\n    {USUAL_CAUSES}"
    )
}

impl Replay {
    /// Starts a run whose events can be read.
    fn start(replay: impl FnOnce(SyncSender<Vec<Event>>, SpawnSites) + Send + 'static) -> Self {
        let (sender, events) = mpsc::sync_channel(4);
        let sites = SpawnSites::default();
        let over = Arc::new(AtomicBool::new(false));
        let (noted, shown) = (Arc::clone(&sites), Arc::clone(&over));
        wall::spawn("replay", move || {
            replay(sender, noted);
            shown.store(true, Release);
        });
        Self { events, over, sites, block: Vec::new().into_iter() }
    }

    /// The next event, `None` at the end.
    fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.block.next() {
                return Some(event);
            }
            self.block = self.next_block()?.into_iter();
        }
    }

    /// The next events. A run that was given up never sends its last ones.
    fn next_block(&self) -> Option<Vec<Event>> {
        loop {
            let over = self.over.load(Acquire);
            match self.events.recv_timeout(POLL) {
                Ok(block) => return Some(block),
                Err(RecvTimeoutError::Timeout) if !over => {}
                Err(_) => return None,
            }
        }
    }

    /// An event and where its task was spawned.
    fn describe(&self, event: Option<Event>) -> String {
        let Some(event) = event else { return "the run had ended".to_string() };
        match self.site(event.task) {
            Some(site) => format!("{event}, task spawned at {site}"),
            None => event.to_string(),
        }
    }

    /// Where the task with this serial number was spawned; the scheduler has number 0.
    fn site(&self, serial: u32) -> Option<&'static Location<'static>> {
        let sites = unpoisoned(self.sites.lock());
        sites.get((serial as usize).checked_sub(1)?).copied()
    }
}
