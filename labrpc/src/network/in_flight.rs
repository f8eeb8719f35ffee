//! Calls whose handler runs.

use std::sync::Arc;

use super::fate::Conditions;
use super::links::Path;
use super::message::Message;
use crate::error::RpcError;
use crate::runtime::port::OneShot;
use crate::server::Response;

/// Where the caller of one call waits for its reply.
pub(crate) type Reply = Arc<OneShot<Result<Response, RpcError>>>;

/// A call whose handler has been started. Its place may be used again, its number is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CallId {
    place: u32,
    number: u64,
}

/// What the network remembers of such a call.
pub(crate) struct InFlight {
    /// The call's number among all calls.
    pub(crate) number: u64,
    /// How the request came.
    pub(crate) path: Path,
    /// The network's switches when it was sent.
    pub(crate) conditions: Conditions,
    /// What it is, in the keyed mode.
    pub(crate) message: Message,
    /// Where the caller waits.
    pub(crate) reply: Reply,
    /// When the handler was started, in nanoseconds.
    pub(crate) started: u64,
    /// The handler was killed and will never return.
    pub(crate) orphaned: bool,
    /// The path is known to be cut, and the call will be looked after.
    pub(crate) watched: bool,
}

/// All such calls.
#[derive(Default)]
pub(crate) struct InFlightCalls {
    places: Vec<Option<(u64, InFlight)>>,
    free: Vec<u32>,
    next_number: u64,
}

impl InFlightCalls {
    /// Adds a call.
    pub(crate) fn insert(&mut self, call: InFlight) -> CallId {
        let number = self.next_number;
        self.next_number += 1;
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(None);
            self.places.len() as u32 - 1
        });
        self.places[place as usize] = Some((number, call));
        CallId { place, number }
    }

    /// Removes a call, if it is still there.
    pub(crate) fn remove(&mut self, id: CallId) -> Option<InFlight> {
        self.remove_if(id, |_| true)
    }

    /// Removes a call, if it is still there and `condition` holds. If not, its path has been mended
    /// before anybody looked, and it is watched no longer.
    pub(crate) fn remove_if(
        &mut self,
        id: CallId,
        condition: impl FnOnce(&InFlight) -> bool,
    ) -> Option<InFlight> {
        let place = &mut self.places[id.place as usize];
        let (_, call) = place.as_mut().filter(|(number, _)| *number == id.number)?;
        if !condition(call) {
            call.watched = false;
            return None;
        }
        self.free.push(id.place);
        place.take().map(|(_, call)| call)
    }

    /// Removes all calls. Their places are not used again.
    pub(crate) fn take_all(&mut self) -> Vec<InFlight> {
        self.places.iter_mut().filter_map(|place| place.take().map(|(_, call)| call)).collect()
    }

    /// Notes that a call's handler was killed; returns when it was started.
    pub(crate) fn orphan(&mut self, id: CallId) -> Option<u64> {
        let place = self.places[id.place as usize].as_mut();
        let (_, call) = place.filter(|(number, _)| *number == id.number)?;
        call.orphaned = true;
        Some(call.started)
    }

    /// The calls whose path is cut though they are not watched yet, and when their handlers were
    /// started. They are watched from now on.
    pub(crate) fn newly_cut_off(&mut self, is_whole: impl Fn(Path) -> bool) -> Vec<(CallId, u64)> {
        let mut cut_off = Vec::new();
        for (place, entry) in self.places.iter_mut().enumerate() {
            if let Some((number, call)) = entry
                && !call.watched
                && !is_whole(call.path)
            {
                call.watched = true;
                cut_off.push((CallId { place: place as u32, number: *number }, call.started));
            }
        }
        cut_off
    }
}
