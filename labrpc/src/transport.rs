//! What carries calls.

use std::fmt;
use std::panic::{Location, RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

use crate::error::RpcError;
use crate::runtime::Instant;
use crate::server::{Request, Response};

/// Carries the calls of one [`ClientEnd`](crate::ClientEnd) to a server: over the simulated
/// network, or over a socket. Its `Display` names the end.
///
/// It is unwind-safe: a panic of a caller leaves no call half done.
pub(crate) trait Transport: fmt::Display + Send + Sync + UnwindSafe + RefUnwindSafe {
    /// Sends a request, once, and waits for the reply. `site` is the line that calls.
    ///
    /// At `deadline` the wait ends with [`RpcError::DeadlineExceeded`], and nothing else does: the
    /// request goes on its way, and its reply is dropped when it comes.
    fn call(
        self: Arc<Self>,
        request: Request,
        deadline: Option<Instant>,
        site: &'static Location<'static>,
    ) -> Result<Response, RpcError>;
}
