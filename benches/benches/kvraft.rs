//! Measures calls of the key/value service: processor time in a simulation, and throughput and
//! latency on real threads, with three servers and a reliable network.

use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use kvraft::{Clerk, KvServer};
use labrpc::{ClientEnd, Instant, Network, Node, Persister, Server, Simulation, run_real, spawn};

/// Servers in the cluster.
const SERVERS: usize = 3;
/// The size of the Raft state at which servers take snapshots.
const MAX_RAFT_STATE: usize = 100_000;
/// The number of calls in one iteration: enough that the election at the start of a cluster has
/// little effect on the result.
const CALLS: u64 = 5_000;
/// A time limit that no bench reaches.
const LIMIT: Duration = Duration::from_secs(1 << 32);

/// What clients do.
#[derive(Clone, Copy)]
enum Mix {
    /// Only puts.
    Puts,
    /// Only gets.
    Gets,
}

/// An enabled client end to a server.
fn end(network: &Network, from: &str, to: usize) -> ClientEnd {
    let name = format!("{from} to S{to}");
    let end = network.make_end(&name);
    network.connect(&name, &format!("S{to}"));
    network.enable(&name);
    end
}

/// Starts the servers.
fn start() -> Network {
    let network = Network::new();
    for me in 0..SERVERS {
        let name = format!("S{me}");
        let peers = (0..SERVERS).map(|peer| end(&network, &name, peer)).collect();
        let server = Node::new(&name).call(move || {
            let kv = KvServer::new(peers, me, Persister::new(), Some(MAX_RAFT_STATE));
            kv.services().into_iter().fold(Server::new(), Server::with)
        });
        network.add_server(&name, server.expect("the node is alive"));
    }
    network
}

/// Divides a number of calls among clients, and returns the time that they took.
fn work(calls: u64, clients: u64, mix: Mix) -> Duration {
    let network = start();
    let clerk = |client: u64| {
        let name = format!("clerk {client}");
        Clerk::new((0..SERVERS).map(|server| end(&network, &name, server)).collect())
    };
    clerk(clients).put("k", "v"); // Waits for a leader.
    let began = Instant::now();
    let tasks: Vec<_> = (0..clients)
        .map(|client| {
            let mut clerk = clerk(client);
            spawn(move || {
                let key = client.to_string();
                for _ in 0..calls.div_ceil(clients) {
                    match mix {
                        Mix::Puts => clerk.put(&key, "0123456789"),
                        Mix::Gets => drop(clerk.get(&key)),
                    }
                }
            })
        })
        .collect();
    tasks.into_iter().for_each(|task| task.join().expect("no task is killed"));
    began.elapsed()
}

/// Processor time in a simulation.
fn simulated(c: &mut Criterion) {
    let mut group = c.benchmark_group("simulated kvraft");
    group.throughput(Throughput::Elements(CALLS));
    for (name, mix) in [("put", Mix::Puts), ("get", Mix::Gets)] {
        for clients in [1, 16] {
            group.bench_function(format!("{name}, {clients} clients"), |b| {
                b.iter_custom(|n| {
                    let simulation = Simulation::new(1).time_limit(LIMIT).cpu_limits(LIMIT, LIMIT);
                    let outcome = simulation.run(move || work(n * CALLS, clients, mix));
                    outcome.result.unwrap_or_else(|failure| panic!("{failure}"));
                    outcome.cpu_time
                });
            });
        }
    }
}

/// Real time on real threads. With one client this is the latency, with many clients the
/// throughput.
fn real(c: &mut Criterion) {
    let mut group = c.benchmark_group("real-thread kvraft");
    group.throughput(Throughput::Elements(CALLS));
    for (name, mix) in [("put", Mix::Puts), ("get", Mix::Gets)] {
        for clients in [1, 16] {
            group.bench_function(format!("{name}, {clients} clients"), |b| {
                b.iter_custom(|n| {
                    let outcome = run_real(1, LIMIT, move || work(n * CALLS, clients, mix));
                    outcome.result.unwrap_or_else(|failure| panic!("{failure}"))
                });
            });
        }
    }
}

criterion_group! {
    name = benches;
    config = benches::few_samples();
    targets = simulated, real
}
criterion_main!(benches);
