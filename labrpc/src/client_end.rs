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
use crate::runtime::{Core, OneShot, Wait, dispatch};
use crate::server::Request;

/// One end of a one-way link to a server: what a caller holds. Clones are the same end; any number
/// of calls may be under way on it at once, and they may overtake each other.
#[derive(Clone)]
pub struct ClientEnd {
    network: Network,
    end: EndId,
}

impl ClientEnd {
    /// The end with this number.
    pub(crate) fn new(network: Network, end: EndId) -> Self {
        Self { network, end }
    }

    /// Calls `method`, `"Service.Method"`, and waits for the reply.
    ///
    /// A call always ends, unless its handler never returns on a server that stays reachable. How
    /// long it takes to fail says nothing: up to 7 s with long delays.
    ///
    /// # Errors
    /// If no reply came. The handler may have run all the same.
    ///
    /// # Panics
    /// If the server has no such method, or if the types of arguments and reply are not the
    /// method's: mistakes of the program.
    #[track_caller]
    pub fn call<A: Serialize, R: DeserializeOwned>(
        &self,
        method: &str,
        args: &A,
    ) -> Result<R, RpcError> {
        let site = Location::caller();
        dispatch(|core| {
            if core.is_some_and(|core| !core.enter()) {
                return Err(RpcError::Lost);
            }
            let request = Request {
                method: method.to_string(),
                args: codec::encode(args),
                args_type: Some(type_name::<A>()),
            };
            self.exchange(core, request, site)
        })
    }

    /// Sends a request and waits for the reply to it.
    fn exchange<R: DeserializeOwned>(
        &self,
        core: Option<&Core>,
        request: Request,
        site: &'static Location<'static>,
    ) -> Result<R, RpcError> {
        let method = request.method.clone();
        let reply = Arc::new(OneShot::new());
        self.network.submit(core, self.end, request, Arc::clone(&reply));
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
}

impl fmt::Debug for ClientEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientEnd({})", self.end.number())
    }
}
