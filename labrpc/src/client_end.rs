//! The caller's end of a link.

use std::any::type_name;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec;
use crate::error::RpcError;
use crate::network::{EndId, Network};
use crate::runtime::port::{self, OneShot, Wait};
use crate::server::Request;
use crate::socket::SocketEnd;

/// One end of a one-way link to a server: what a caller holds. Clones are the same end; any number
/// of calls may be under way on it at once, and they may overtake each other.
#[derive(Clone)]
pub struct ClientEnd(Carrier);

/// What carries the calls of an end.
#[derive(Clone)]
enum Carrier {
    /// The simulated network, in a simulation or on real threads.
    Network { network: Network, end: EndId },
    /// A connection to another process.
    Socket(Arc<SocketEnd>),
}

impl ClientEnd {
    /// The end with this number.
    pub(crate) fn new(network: Network, end: EndId) -> Self {
        Self(Carrier::Network { network, end })
    }

    /// The end that calls over sockets.
    pub(crate) fn over_socket(end: SocketEnd) -> Self {
        Self(Carrier::Socket(Arc::new(end)))
    }

    /// Calls `method`, `"Service.Method"`, and waits for the reply.
    ///
    /// A call always ends, unless its handler never returns on a server that stays reachable. How
    /// long it takes to fail says nothing: up to 7 s with long delays. Over sockets it always ends,
    /// see [`Options::call_timeout`](crate::socket::Options::call_timeout).
    ///
    /// # Errors
    /// If no reply came. The handler may have run all the same.
    ///
    /// # Panics
    /// If the server has no such method, or if the types of arguments and reply are not the
    /// method's: mistakes of the program. Not over sockets, where these are errors.
    #[track_caller]
    pub fn call<A: Serialize, R: DeserializeOwned>(
        &self,
        method: &str,
        args: &A,
    ) -> Result<R, RpcError> {
        let site = Location::caller();
        if !port::enter() {
            return Err(RpcError::Lost);
        }
        let method = method.to_string();
        let args = codec::encode(args);
        match &self.0 {
            Carrier::Network { network, end } => {
                let args_type = Some(type_name::<A>());
                exchange(network, *end, Request { method, args, args_type }, site)
            }
            Carrier::Socket(socket) => {
                let reply = socket.call(method, args)?;
                codec::decode_foreign(&reply).map_err(|_| RpcError::Unreadable)
            }
        }
    }
}

/// Sends a request over the simulated network and waits for the reply to it.
fn exchange<R: DeserializeOwned>(
    network: &Network,
    end: EndId,
    request: Request,
    site: &'static Location<'static>,
) -> Result<R, RpcError> {
    let method = request.method.clone();
    let reply = Arc::new(OneShot::new());
    network.submit(end, request, Arc::clone(&reply));
    let response = reply.wait(Wait::Call, site).ok_or(RpcError::Lost)??;
    let wanted = type_name::<R>();
    if let Some(sent) = response.reply_type
        && sent != wanted
    {
        panic!("{method} replies with {sent}, but the caller expects {wanted}");
    }
    match codec::decode(&response.reply) {
        Ok(reply) => Ok(reply),
        Err(error) => panic!("{method} sent a reply that cannot be read: {error}"),
    }
}

impl fmt::Debug for ClientEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Carrier::Network { end, .. } => write!(f, "ClientEnd({})", end.number()),
            Carrier::Socket(socket) => write!(f, "ClientEnd({})", socket.address()),
        }
    }
}
