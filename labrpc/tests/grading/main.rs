//! The course's own tests of its network, and of its codec, with their names.
//!
//! They run in a simulation, or with `LAB_RUNTIME=real` on real threads.

mod codec;
mod faults;
mod rpc;

use std::sync::Arc;
use std::time::Duration;

use labrpc::{ClientEnd, Mutex, Network, Server, Service, sleep};
use serde::{Deserialize, Serialize};

/// A network with one server, called "server".
struct TestNetwork {
    network: Network,
    /// What handler 2 was called with, in that order.
    log: Arc<Mutex<Vec<i64>>>,
}

/// Arguments of a type of their own.
#[derive(Serialize, Deserialize)]
struct JunkArgs {
    x: i64,
}

/// A reply of a type of its own.
#[derive(Serialize, Deserialize)]
struct JunkReply {
    x: String,
}

impl TestNetwork {
    /// The network of every test here.
    fn new() -> Self {
        let net = Self { network: Network::new(), log: Arc::default() };
        net.network.add_server("server", Server::new().with(net.service()));
        net
    }

    /// The course's test service.
    fn service(&self) -> Service {
        let log = Arc::clone(&self.log);
        let held = Arc::new(Mutex::new(()));
        let parse = |text: String| text.parse::<i64>().unwrap_or(0);
        Service::new("JunkServer")
            .method("Handler1", parse)
            .method("Handler2", move |n: i64| {
                log.lock().push(n);
                format!("handler2-{n}")
            })
            .method("Handler3", move |n: i64| {
                let _guard = held.lock();
                sleep(Duration::from_secs(20));
                -n
            })
            .method("Handler4", |args: Box<JunkArgs>| JunkReply {
                x: format!("pointer {}", args.x),
            })
            .method("Handler5", |args: JunkArgs| JunkReply { x: format!("no pointer {}", args.x) })
            .method("Handler6", |text: String| text.len() as i64)
            .method("Handler7", |n: i64| "y".repeat(n as usize))
    }

    /// An end that is connected to the server, but not enabled.
    fn disabled_end(&self, name: &str) -> ClientEnd {
        let end = self.network.make_end(name);
        self.network.connect(name, "server");
        end
    }

    /// An end through which the server can be called.
    fn end(&self, name: &str) -> ClientEnd {
        let end = self.disabled_end(name);
        self.network.enable(name);
        end
    }
}

/// Calls handler 2; `None` if no reply came.
fn handler2(end: &ClientEnd, n: i64) -> Option<String> {
    end.call("JunkServer.Handler2", &n).ok()
}

/// What handler 2 replies.
fn reply2(n: i64) -> Option<String> {
    Some(format!("handler2-{n}"))
}
