//! Measures agreement: processor time in a simulation, and throughput on real threads, with three
//! and five servers and a reliable network. To measure the grading tests, use
//! `LAB_RUNS=100 cargo test --release -p raft --test grading`.

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use labrpc::{
    Atomic, Instant, Network, Node, Persister, Receiver, Server, Simulation, rendezvous, run_real,
    sleep, spawn,
};
use raft::{ApplyMsg, Raft};
use std::sync::Arc;

/// A time limit that no bench reaches.
const LIMIT: Duration = Duration::from_secs(1 << 32);

/// The number of commands in flight: a leader batches commands that arrive while it waits.
const WINDOW: u64 = 64;

/// A server that runs, on its node.
type Running = (Node, Raft);

/// Starts servers whose services only count; the counter is that of the first.
fn start(servers: usize) -> (Network, Vec<Running>, Arc<Atomic<u64>>) {
    let network = Network::new();
    let applied = Arc::new(Atomic::new(0));
    let mut running = Vec::new();
    for me in 0..servers {
        let ends = (0..servers).map(|peer| {
            let name = format!("S{me} to S{peer}");
            let end = network.make_end(&name);
            network.connect(&name, &format!("S{peer}"));
            network.enable(&name);
            end
        });
        let ends = ends.collect();
        let node = Node::new(&format!("S{me}"));
        let counter = (me == 0).then(|| Arc::clone(&applied));
        let boot = move || {
            let (apply, messages) = rendezvous();
            spawn(move || count(&messages, counter.as_deref()));
            let raft = Raft::new(ends, me, Persister::new(), apply);
            (Server::new().with(raft.service()), raft)
        };
        let (server, raft) = node.call(boot).expect("the node is alive");
        network.add_server(&format!("S{me}"), server);
        running.push((node, raft));
    }
    (network, running, applied)
}

/// A service that counts what was committed.
fn count(messages: &Receiver<ApplyMsg>, counter: Option<&Atomic<u64>>) {
    for _ in messages {
        if let Some(counter) = counter {
            counter.fetch_add(1);
        }
    }
}

/// Commits a number of commands, and returns the time that it took after the election.
fn commit(servers: usize, commands: u64) -> Duration {
    let (_network, running, applied) = start(servers);
    let leader = loop {
        if let Some(leader) = running.iter().find(|(_, raft)| raft.state().is_leader) {
            break leader.clone();
        }
        sleep(Duration::from_millis(10));
    };
    let began = Instant::now();
    let (node, raft) = leader;
    let proposer = node.spawn(move || {
        for i in 0..commands {
            while i >= applied.load() + WINDOW {
                sleep(Duration::from_micros(200));
            }
            raft.start(i.to_le_bytes().to_vec()).expect("nothing happens to the leader");
        }
        while applied.load() < commands {
            sleep(Duration::from_micros(200));
        }
    });
    proposer.join().expect("no task is killed");
    began.elapsed()
}

/// The total processor time of a number of simulations, one for each seed.
fn cpu_time(simulations: u64, body: impl Fn() + Clone + Send + Sync + 'static) -> Duration {
    let run = |seed| {
        let outcome = Simulation::new(seed).time_limit(LIMIT).run(body.clone());
        outcome.result.expect("nothing fails");
        outcome.cpu_time
    };
    (0..simulations).map(run).sum()
}

/// Processor time for each command in a simulation, and for heartbeats.
fn simulated(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("raft, simulated");
    for servers in [3, 5] {
        let commands = 5_000;
        group.throughput(Throughput::Elements(commands));
        group.bench_function(BenchmarkId::new("commit", servers), |bencher| {
            bencher.iter_custom(|iterations| {
                cpu_time(iterations, move || {
                    commit(servers, commands);
                })
            });
        });
        group.throughput(Throughput::Elements(600));
        group.bench_function(BenchmarkId::new("virtual seconds, idle", servers), |bencher| {
            bencher.iter_custom(|iterations| {
                cpu_time(iterations, move || {
                    let _cluster = start(servers);
                    sleep(Duration::from_secs(600));
                })
            });
        });
    }
    group.finish();
}

/// Commands committed on real threads.
fn real(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("raft, real threads");
    for servers in [3, 5] {
        let commands = 5_000;
        group.throughput(Throughput::Elements(commands));
        group.bench_function(BenchmarkId::new("commit", servers), |bencher| {
            bencher.iter_custom(|iterations| {
                let run = |seed| {
                    let outcome = run_real(seed, LIMIT, move || commit(servers, commands));
                    outcome.result.expect("nothing fails")
                };
                (0..iterations).map(run).sum()
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(5));
    targets = simulated, real
}
criterion_main!(benches);
