//! Calls whose handler runs.

use std::sync::Arc;

use super::call::Call;
use super::links::Path;

/// A call whose handler has been started. Its place may be used again, its number is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CallId {
    place: u32,
    /// The call's number among all calls.
    number: u64,
}

/// What the network remembers of such a call.
pub(crate) struct InFlight {
    pub(crate) call: Arc<Call>,
    /// When the handler was started, in nanoseconds.
    started: u64,
    /// The handler was killed and will never return.
    pub(crate) orphaned: bool,
    /// The path is known to be cut, and the call will be looked after.
    watched: bool,
}

/// All such calls.
#[derive(Default)]
pub(crate) struct InFlightCalls {
    places: Vec<Option<InFlight>>,
    free: Vec<u32>,
}

impl InFlightCalls {
    /// Adds a call whose handler is started at `started`.
    pub(crate) fn insert(&mut self, call: Arc<Call>, started: u64) -> CallId {
        let number = call.number;
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(None);
            self.places.len() as u32 - 1
        });
        self.places[place as usize] =
            Some(InFlight { call, started, orphaned: false, watched: false });
        CallId { place, number }
    }

    /// Removes a call, if it is still there.
    pub(crate) fn remove(&mut self, id: CallId) -> Option<Arc<Call>> {
        self.remove_if(id, |_| true).map(|it| it.call)
    }

    /// Removes a call, if it is still there and `condition` holds. If not, its path has been mended
    /// before anybody looked, and it is watched no longer.
    pub(crate) fn remove_if(
        &mut self,
        id: CallId,
        condition: impl FnOnce(&InFlight) -> bool,
    ) -> Option<InFlight> {
        let it = self.get(id)?;
        if !condition(it) {
            it.watched = false;
            return None;
        }
        self.free.push(id.place);
        self.places[id.place as usize].take()
    }

    /// Removes all calls. Their places are not used again.
    pub(crate) fn take_all(&mut self) -> Vec<InFlight> {
        self.places.iter_mut().filter_map(Option::take).collect()
    }

    /// Notes that a call's handler was killed; returns when it was started.
    pub(crate) fn orphan(&mut self, id: CallId) -> Option<u64> {
        let it = self.get(id)?;
        it.orphaned = true;
        Some(it.started)
    }

    /// The calls whose path is cut though they are not watched yet, and when their handlers were
    /// started. They are watched from now on.
    pub(crate) fn newly_cut_off(
        &mut self,
        is_whole: impl Fn(Option<Path>) -> bool,
    ) -> Vec<(CallId, u64)> {
        let mut cut_off = Vec::new();
        for (place, entry) in self.places.iter_mut().enumerate() {
            if let Some(it) = entry
                && !it.watched
                && !is_whole(it.call.path)
            {
                it.watched = true;
                let id = CallId { place: place as u32, number: it.call.number };
                cut_off.push((id, it.started));
            }
        }
        cut_off
    }

    /// A call, if it is still there.
    fn get(&mut self, id: CallId) -> Option<&mut InFlight> {
        self.places[id.place as usize].as_mut().filter(|it| it.call.number == id.number)
    }
}
