//! The network, in a simulation: what arrives, when, and what does not.

mod held;
mod limits;
mod losses;
mod partitions;
mod recording;
mod restarts;
mod timing;

use std::sync::Arc;
use std::time::Duration;

use labrpc::{AtomicU64, ClientEnd, Network, Node, RpcError, Server, Service, Simulation, sleep};

/// Runs `body` under a fixed seed, where it must not fail; returns what it returns.
fn simulate<T: Send + 'static>(body: impl Fn() -> T + Send + Sync + 'static) -> T {
    let simulation = Simulation::new(6824).time_limit(Duration::from_secs(100_000));
    simulation.run(body).result.unwrap_or_else(|failure| panic!("{failure}"))
}

/// A network with servers that count the calls that they handle.
struct TestNetwork {
    network: Network,
    handled: Arc<AtomicU64>,
}

impl TestNetwork {
    /// A network with these servers.
    fn new(servers: &[&str]) -> Self {
        let net = Self { network: Network::new(), handled: Arc::new(AtomicU64::new(0)) };
        servers.iter().for_each(|name| _ = net.boot(name));
        net
    }

    /// Starts a server, on a node of its own.
    fn boot(&self, name: &str) -> Node {
        let node = Node::new(name);
        let handled = Arc::clone(&self.handled);
        let server = node.call(move || {
            // Counts when it is called, and returns the millisecond for which it was asked to wait.
            let wait = move |millis: u64| {
                handled.fetch_add(1);
                sleep(Duration::from_millis(millis));
                millis
            };
            Server::new().with(Service::new("Test").method("Wait", wait))
        });
        self.network.add_server(name, server.expect("a fresh node is alive"));
        node
    }

    /// An open end of `from` that leads to `to`; its name is `from-to`.
    fn end(&self, from: &str, to: &str) -> ClientEnd {
        let name = format!("{from}-{to}");
        let end = self.network.make_end_of(from, &name);
        self.network.connect(&name, to);
        self.network.enable(&name);
        end
    }
}

/// Milliseconds as a duration.
const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Calls a handler that takes `millis` milliseconds.
fn wait(end: &ClientEnd, millis: u64) -> Result<u64, RpcError> {
    end.call("Test.Wait", &millis)
}
