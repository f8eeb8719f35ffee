//! What answers calls: services, their methods, and the server that bundles them.

use std::any::type_name;
use std::fmt;
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec;
use crate::runtime::port::{self, NodeId};

/// Runs a method: bytes of the arguments in, bytes of the reply out.
type Handler = Box<dyn Fn(&Request) -> Result<Response, Refusal> + Send + Sync>;

/// A call on its way to a server.
pub(crate) struct Request {
    /// `Service.Method`.
    pub(crate) method: String,
    /// The encoded arguments.
    pub(crate) args: Vec<u8>,
    /// The type of the arguments, where caller and server are one program.
    pub(crate) args_type: Option<&'static str>,
    /// The arguments in words, if the run is recorded.
    pub(crate) words: Option<String>,
}

/// A reply on its way back.
pub(crate) struct Response {
    /// The encoded reply.
    pub(crate) reply: Vec<u8>,
    /// The type of the reply, where caller and server are one program.
    pub(crate) reply_type: Option<&'static str>,
    /// The reply in words, if the run is recorded.
    pub(crate) words: Option<String>,
}

/// Why a request reached no handler: the message that a failing run prints.
pub(crate) enum Refusal {
    /// The server has no such method.
    NoSuchMethod(String),
    /// The arguments are not what the method takes.
    Unreadable(String),
}

/// Named methods that other servers and clients can call.
///
/// ```
/// use labrpc::Service;
/// let echo = Service::new("Echo").method("Twice", |text: String| text.repeat(2));
/// assert_eq!(echo.name(), "Echo");
/// ```
pub struct Service {
    name: String,
    /// Methods by their full names. There are few, so a search is faster than a map.
    methods: Vec<(String, Handler)>,
}

impl Service {
    /// A service without methods. A call names `Service.Method`.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_string(), methods: Vec::new() }
    }

    /// Adds a method. Each call runs in a task of its own on the server's node, so `handler` may
    /// wait as long as it likes, and many of its calls may run at once.
    ///
    /// # Panics
    /// If the service has a method of this name already, or if the name contains a dot.
    pub fn method<A: DeserializeOwned, R: Serialize>(
        mut self,
        name: &str,
        handler: impl Fn(A) -> R + Send + Sync + 'static,
    ) -> Self {
        let full_name = format!("{}.{name}", self.name);
        assert!(!name.contains('.'), "method name '{name}' must not contain a dot");
        assert!(self.handler(&full_name).is_none(), "{full_name} is defined twice");
        let run = move |request: &Request| {
            let args = decode_args::<A>(request).map_err(Refusal::Unreadable)?;
            let value = handler(args);
            let (reply, words) = (codec::encode(&value), port::in_words(&value));
            Ok(Response { reply, reply_type: Some(type_name::<R>()), words })
        };
        self.methods.push((full_name, Box::new(run)));
        self
    }

    /// The handler of the method with this full name.
    fn handler(&self, full_name: &str) -> Option<&Handler> {
        self.methods.iter().find(|(name, _)| name == full_name).map(|(_, handler)| handler)
    }

    /// The full names of its methods.
    fn method_names(&self) -> impl Iterator<Item = &str> {
        self.methods.iter().map(|(name, _)| &**name)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.method_names()).finish()
    }
}

/// The arguments of a call, or what is wrong with them.
///
/// Within one program the types must be the same: other types would otherwise show up as nonsense
/// values.
fn decode_args<A: DeserializeOwned>(request: &Request) -> Result<A, String> {
    let (method, taken) = (&request.method, type_name::<A>());
    let decoded = match request.args_type {
        Some(sent) if sent != taken => {
            return Err(format!("{method} takes {taken}, but the caller sent {sent}"));
        }
        Some(_) => codec::decode(&request.args),
        None => codec::decode_foreign(&request.args),
    };
    decoded.map_err(|error| format!("{method} got arguments that it cannot read: {error}"))
}

/// A bundle of services that is reached under one name. A server that restarts is a new `Server`.
pub struct Server {
    /// Its name in a network, for messages.
    name: Option<String>,
    services: Vec<Service>,
    node: NodeId,
    site: &'static Location<'static>,
    count: AtomicU64,
}

impl Server {
    /// A server without services. Its handlers run on the node of the task that calls this.
    #[track_caller]
    #[expect(clippy::new_without_default, reason = "the caller's place and node matter")]
    pub fn new() -> Self {
        Self {
            name: None,
            services: Vec::new(),
            node: port::current_node(),
            site: Location::caller(),
            count: AtomicU64::new(0),
        }
    }

    /// Adds a service.
    ///
    /// # Panics
    /// If the server has a service of this name already.
    pub fn with(mut self, service: Service) -> Self {
        let is_new = self.services.iter().all(|other| other.name != service.name);
        assert!(is_new, "the server already has a service named {}", service.name);
        self.services.push(service);
        self
    }

    /// Gives it the name under which it is reached.
    pub(crate) fn named(self, name: &str) -> Self {
        Self { name: Some(name.to_string()), ..self }
    }

    /// The node on which handlers run.
    pub(crate) fn node(&self) -> NodeId {
        self.node
    }

    /// Where the server was made, which stands for the place where its handlers are spawned.
    pub(crate) fn site(&self) -> &'static Location<'static> {
        self.site
    }

    /// How many requests have reached this server.
    pub(crate) fn count(&self) -> u64 {
        self.count.load(Relaxed)
    }

    /// Runs the handler of a request.
    ///
    /// # Panics
    /// If there is no such handler, or the request does not fit it: mistakes of the program.
    pub(crate) fn handle(&self, request: &Request) -> Response {
        match self.try_handle(request) {
            Ok(response) => response,
            Err(Refusal::NoSuchMethod(problem)) => {
                panic!("server {} {problem}", self.name.as_deref().unwrap_or("without a name"))
            }
            Err(Refusal::Unreadable(problem)) => panic!("{problem}"),
        }
    }

    /// Runs the handler of a request, which may come from another program.
    pub(crate) fn try_handle(&self, request: &Request) -> Result<Response, Refusal> {
        self.count.fetch_add(1, Relaxed);
        match self.services.iter().find_map(|service| service.handler(&request.method)) {
            Some(handler) => handler(request),
            None => Err(Refusal::NoSuchMethod(format!(
                "has no handler '{}'; it has {}",
                request.method,
                self.handler_names()
            ))),
        }
    }

    /// The handlers that can be called, for messages.
    fn handler_names(&self) -> String {
        let names: Vec<&str> = self.services.iter().flat_map(Service::method_names).collect();
        if names.is_empty() { "none".to_string() } else { names.join(", ") }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("services", &self.services).finish()
    }
}
