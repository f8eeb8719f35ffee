//! The connections of a listener, and which of them has to go when there is no place for another.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use super::session::{Idleness, Session};
use crate::runtime::port::unpoisoned;

/// How long a connection that was closed may take to end. It only has to notice.
const GOING: Duration = Duration::from_secs(1);

/// The connections that are served.
///
/// # Which one has to go
///
/// When all places are taken, a new connection gets that of the one that has been idle for the
/// longest time. A connection with a handler at work is never closed; one that does not read its
/// replies goes when none is idle.
///
/// Servers that call each other all the time are never idle for long, so this keeps their
/// connections, unless very many new ones come between two of their calls. Against those, a quarter
/// of the places is kept for connections on which a call was answered: beyond three quarters, those
/// without one make room for each other.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    by_number: Mutex<BTreeMap<u64, Arc<Session>>>,
    /// Signalled when one has ended.
    ended: Condvar,
}

impl Sessions {
    /// Adds a connection, and closes another one if there are `most` already. Returns the number
    /// of that one.
    ///
    /// # Errors
    /// If all connections are at work: there is no place.
    pub(crate) fn add(&self, session: &Arc<Session>, most: usize) -> Result<Option<u64>, Full> {
        let mut sessions = self.lock();
        let mut closed = None;
        if sessions.len() >= most {
            closed = Some(close_one(&sessions, most).ok_or(Full)?);
            let ended = &self.ended;
            let is_full = |sessions: &mut BTreeMap<u64, _>| sessions.len() >= most;
            sessions = unpoisoned(ended.wait_timeout_while(sessions, GOING, is_full)).0;
            if is_full(&mut sessions) {
                return Err(Full);
            }
        }
        sessions.insert(session.number(), Arc::clone(session));
        Ok(closed)
    }

    /// Closes one connection if any is idle, because the system has no descriptor left.
    pub(crate) fn close_one(&self) -> Option<u64> {
        let sessions = self.lock();
        close_one(&sessions, sessions.len())
    }

    /// Removes a connection that has ended.
    pub(crate) fn remove(&self, session: &Session) {
        self.lock().remove(&session.number());
        self.ended.notify_all();
    }

    /// Reads no more calls, and waits for those in flight, though not longer than `limit`.
    pub(crate) fn end(&self, limit: Duration) {
        let mut sessions = self.lock();
        sessions.values().for_each(|session| session.stop_reading());
        let are_left = |left: &mut BTreeMap<u64, _>| !left.is_empty();
        sessions = unpoisoned(self.ended.wait_timeout_while(sessions, limit, are_left)).0;
        sessions.values().for_each(|session| session.close());
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Session>>> {
        unpoisoned(self.by_number.lock())
    }
}

/// There is no place for another connection.
#[derive(Debug)]
pub(crate) struct Full;

/// Closes the connection that has to go, of at most `most`.
fn close_one(sessions: &BTreeMap<u64, Arc<Session>>, most: usize) -> Option<u64> {
    let idle: Vec<(u64, Idleness)> = sessions
        .iter()
        .filter_map(|(number, session)| Some((*number, session.idleness()?)))
        .collect();
    let number = choose(&idle, most)?;
    sessions[&number].close();
    Some(number)
}

/// The connection that has to go.
fn choose(idle: &[(u64, Idleness)], most: usize) -> Option<u64> {
    let strangers = idle.iter().filter(|(_, idleness)| !idleness.has_called);
    let only_strangers = strangers.clone().count() >= (most * 3 / 4).max(1);
    let candidates = idle.iter().filter(|(_, idleness)| !only_strangers || !idleness.has_called);
    candidates.min_by_key(|(_, idle)| (idle.is_sending, idle.since)).map(|(number, _)| *number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::Instant;

    #[test]
    fn the_longest_idle_goes_and_places_are_kept_for_callers() {
        let idle = |since, has_called, is_sending| Idleness {
            is_sending,
            has_called,
            since: Instant::from_nanos(since),
        };
        let (stranger, caller) =
            (|since| idle(since, false, false), |since| idle(since, true, false));
        let deaf = |since| idle(since, true, true);
        for (name, connections, most, expected) in [
            ("all are at work", vec![], 4, None),
            ("the longest idle", vec![caller(3), caller(2), stranger(4), stranger(5)], 4, Some(1)),
            ("strangers", vec![caller(1), stranger(4), stranger(3), stranger(5)], 4, Some(2)),
            ("few idle strangers", vec![stranger(4), caller(1)], 4, Some(1)),
            ("one that does not read", vec![deaf(1), caller(2)], 4, Some(1)),
            ("nobody reads", vec![deaf(2), deaf(1)], 4, Some(1)),
            ("one place, a stranger", vec![stranger(1)], 1, Some(0)),
            ("one place, a caller", vec![caller(1)], 1, Some(0)),
        ] {
            let idle: Vec<_> = (0..).zip(connections).collect();
            assert_eq!(choose(&idle, most), expected, "{name}");
        }
    }
}
