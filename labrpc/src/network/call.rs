//! What is known of one call.

use contract::recording::{Loss, What};

use super::fate::{self, Conditions};
use super::links::{EndId, Path};
use super::message::Message;
use crate::error::RpcError;
use crate::runtime::port::{self, Draw, Kind, OneShot};
use crate::server::Response;

/// A call, from its request to its outcome. It does not own its network, which owns servers: see
/// [`Path`].
pub(crate) struct Call {
    pub(crate) end: EndId,
    /// Its number among all calls.
    pub(crate) number: u64,
    /// The way of the request; `None` if there was none when it was sent.
    pub(crate) path: Option<Path>,
    /// The network's conditions when it was sent.
    pub(crate) conditions: Conditions,
    /// What it is, in the keyed mode.
    pub(crate) message: Message,
    /// Where the caller waits.
    pub(crate) outcome: OneShot<Result<Response, RpcError>>,
}

impl Call {
    /// Tells the caller that no reply will come.
    pub(crate) fn fail(&self, why: Loss) {
        record(Kind::Drop, self.end, || 0);
        port::draw(|| What::Lost { call: self.number, why });
        self.outcome.put(Err(RpcError::Lost));
    }

    /// Nanoseconds that a message takes at least: none on real threads, where the machine takes its
    /// own time.
    pub(crate) fn latency(&self, draw: Draw) -> u64 {
        if port::in_simulation() { self.message.draw(draw, fate::base_latency) } else { 0 }
    }
}

/// Records an event of the network; `detail` is only computed in a simulation.
pub(crate) fn record(kind: Kind, end: EndId, detail: impl FnOnce() -> u64) {
    port::record(kind, end.number(), detail);
}
