//! A client that checks what it is told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use shardctrler::{Clerk, Config, Gid};
use testkit::{Client, Sim, Violation};

use crate::step::picture;

/// A group with a number and servers of these names, which are separated by spaces.
pub fn group(gid: Gid, servers: &str) -> (Gid, Vec<String>) {
    (gid, servers.split(' ').map(str::to_string).collect())
}

/// What all clients of a run have seen. Clones are the same.
#[derive(Clone, Default)]
pub struct Seen(Arc<Mutex<Notes>>);

/// What is behind the lock, which is never held across a call of the runtime.
#[derive(Default)]
struct Notes {
    /// Configurations by number.
    configs: BTreeMap<u64, Config>,
    /// Calls that have returned.
    calls: u64,
}

impl Seen {
    /// Locks the notes.
    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The highest number that some query has returned: whoever asks from now on sees that, or
    /// more.
    fn latest(&self) -> u64 {
        self.notes().configs.last_key_value().map_or(0, |(&num, _)| num)
    }

    /// Notes an answer, and returns what an earlier query has got as the same configuration.
    fn note(&self, config: &Config) -> Config {
        self.notes().configs.entry(config.num).or_insert_with(|| config.clone()).clone()
    }
}

/// A client. Whatever it learns must agree with what any client has learnt before:
///
/// * the past stays as it was: a number means the same configuration for ever;
/// * an answer is never older than one that was there before the question.
pub struct CheckedClerk {
    sim: Sim,
    /// The client's name.
    name: String,
    clerk: Clerk,
    seen: Seen,
}

impl CheckedClerk {
    /// A client that makes its calls by means of a clerk.
    pub fn new(sim: &Sim, client: &Client, seen: &Seen) -> Self {
        let clerk = Clerk::new(client.shuffled_ends());
        Self { sim: sim.clone(), name: client.name().to_string(), clerk, seen: seen.clone() }
    }

    /// Adds groups.
    pub fn join(&mut self, groups: impl IntoIterator<Item = (Gid, Vec<String>)>) {
        let groups: BTreeMap<Gid, Vec<String>> = groups.into_iter().collect();
        let text = format!("join({groups:?})");
        self.change(|| text, |clerk| clerk.join(groups));
    }

    /// Removes groups.
    pub fn leave(&mut self, gids: &[Gid]) {
        self.change(|| format!("leave({gids:?})"), |clerk| clerk.leave(gids));
    }

    /// Moves a shard.
    pub fn move_shard(&mut self, shard: usize, gid: Gid) {
        let text = || format!("move shard {shard} to {gid}");
        self.change(text, |clerk| clerk.move_shard(shard, gid));
    }

    /// Makes a call that is answered without a value.
    fn change(&mut self, text: impl FnOnce() -> String, call: impl FnOnce(&mut Clerk)) {
        let done = |&(): &()| "done".to_string();
        self.sim.operation(&self.name, text, || call(&mut self.clerk), done);
        self.count_call();
    }

    /// The latest configuration.
    #[track_caller]
    pub fn latest(&mut self) -> Config {
        self.query(None)
    }

    /// The configuration with this number, which exists.
    #[track_caller]
    pub fn at(&mut self, num: u64) -> Config {
        self.query(Some(num))
    }

    /// Asks for a configuration, and checks the answer.
    #[track_caller]
    pub fn query(&mut self, num: Option<u64>) -> Config {
        let known = self.seen.latest();
        let text = || num.map_or("query()".to_string(), |num| format!("query({num})"));
        let config = self.sim.operation(&self.name, text, || self.clerk.query(num), picture);
        self.count_call();

        self.sim.check(check_number(num, known, &config));
        let earlier = self.seen.note(&config);
        self.sim.check(check_unchanged(&earlier, &config));
        config
    }

    /// Counts a call that has returned, for the "Passed" line.
    fn count_call(&self) {
        self.seen.notes().calls += 1;
        let calls = self.seen.notes().calls;
        self.sim.set_commits(calls);
    }
}

/// A query for the number `num`, or for the latest, is answered with that number, or with the
/// latest if there is no such number yet. The number `known` was seen before the question.
fn check_number(num: Option<u64>, known: u64, answer: &Config) -> Result<(), Violation> {
    let wanted = num.unwrap_or(u64::MAX);
    if (wanted.min(known)..=wanted).contains(&answer.num) {
        return Ok(());
    }
    let call = num.map_or("Query(latest)".to_string(), |num| format!("Query({num})"));
    let actual = format!("{call} returned {}, after #{known} was seen", picture(answer));
    let property = match num {
        Some(num) if num < known => "a query for an earlier configuration returns that one",
        _ => "a query returns the number that it asks for, or the latest",
    };
    Err(Violation::new(property, actual))
}

/// Two queries were answered with the same configuration under the same number.
fn check_unchanged(earlier: &Config, now: &Config) -> Result<(), Violation> {
    if earlier == now {
        return Ok(());
    }
    let actual = format!(
        "a query returned {}\n            an earlier query {}",
        picture(now),
        picture(earlier)
    );
    Err(Violation::new("a configuration never changes, and is the same on all servers", actual))
}
