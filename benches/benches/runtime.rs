//! Measures the operations of the runtime: processor time in a simulation, real time on real
//! threads.

use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use labrpc::{
    ClientEnd, Instant, JoinHandle, Mutex, Network, Server, Service, Simulation, channel,
    rendezvous, run_real, sleep, spawn, yield_now,
};

/// A time limit that no bench reaches.
const LIMIT: Duration = Duration::from_secs(1 << 32);

/// Processor time of a simulation that does something `n` times.
fn simulated(n: u64, body: impl Fn(u64) + Send + Sync + 'static) -> Duration {
    timed(Simulation::new(1), n, body)
}

/// The same for a simulation with other settings.
fn timed(simulation: Simulation, n: u64, body: impl Fn(u64) + Send + Sync + 'static) -> Duration {
    let hour = Duration::from_secs(3600);
    let outcome = simulation.time_limit(LIMIT).cpu_limits(hour, hour).run(move || body(n));
    outcome.result.unwrap_or_else(|failure| panic!("{failure}"));
    outcome.cpu_time
}

/// A server that replies with the arguments of a call, and client ends to it.
fn echo(clients: u64) -> Vec<ClientEnd> {
    let network = Network::new();
    network.add_server("S0", Server::new().with(Service::new("Echo").method("Echo", |n: u64| n)));
    let ends = (0..clients).map(|client| {
        let name = format!("client {client}");
        let end = network.make_end(&name);
        network.connect(&name, "S0");
        network.enable(&name);
        end
    });
    ends.collect()
}

/// Divides `n` calls among clients.
fn call(n: u64, clients: u64) {
    let tasks: Vec<_> = echo(clients)
        .into_iter()
        .map(|end| {
            spawn(move || {
                for i in 0..n.div_ceil(clients) {
                    assert_eq!(end.call("Echo.Echo", &i), Ok(i));
                }
            })
        })
        .collect();
    join(tasks);
}

/// Waits for all tasks.
fn join(tasks: Vec<JoinHandle<()>>) {
    tasks.into_iter().for_each(|task| task.join().expect("no task is killed"));
}

/// Calls in a simulation.
fn simulated_rpc(c: &mut Criterion) {
    let mut group = c.benchmark_group("simulated rpc");
    group.throughput(Throughput::Elements(1));
    for clients in [1, 100] {
        group.bench_function(format!("{clients} clients"), |b| {
            b.iter_custom(|n| simulated(n, move |n| call(n, clients)));
        });
        group.bench_function(format!("{clients} clients, no trace"), |b| {
            b.iter_custom(|n| {
                timed(Simulation::new(1).without_trace(), n, move |n| call(n, clients))
            });
        });
    }
}

/// Calls on real threads.
fn real_rpc(c: &mut Criterion) {
    let mut group = c.benchmark_group("real-thread rpc");
    group.throughput(Throughput::Elements(1));
    for clients in [1, 8] {
        group.bench_function(format!("{clients} clients"), |b| {
            b.iter_custom(|n| {
                let outcome = run_real(1, Duration::from_secs(3600), move || {
                    let start = Instant::now();
                    call(n, clients);
                    start.elapsed()
                });
                outcome.result.unwrap_or_else(|failure| panic!("{failure}"))
            });
        });
    }
}

/// Tasks and time.
fn tasks(c: &mut Criterion) {
    let mut group = c.benchmark_group("tasks");
    group.throughput(Throughput::Elements(1));
    for tasks in [2, 1_000] {
        group.bench_function(format!("switch among {tasks}"), |b| {
            b.iter_custom(|n| {
                simulated(n, move |n| {
                    let yield_all = move || (0..n.div_ceil(tasks)).for_each(|_| yield_now());
                    join((0..tasks).map(|_| spawn(yield_all)).collect());
                })
            });
        });
    }
    group.bench_function("spawn and join", |b| {
        b.iter_custom(|n| simulated(n, |n| (0..n).for_each(|_| join(vec![spawn(|| ())]))));
    });
    for sleepers in [10, 1_000] {
        group.bench_function(format!("timer among {sleepers}"), |b| {
            b.iter_custom(|n| {
                simulated(n, move |n| {
                    let sleep_all = move |i: u64| {
                        (0..n.div_ceil(sleepers))
                            .for_each(|_| sleep(Duration::from_nanos(999 + i)));
                    };
                    join((0..sleepers).map(|i| spawn(move || sleep_all(i))).collect());
                })
            });
        });
    }
}

/// Locks and channels.
fn sync(c: &mut Criterion) {
    let mut group = c.benchmark_group("sync");
    group.throughput(Throughput::Elements(1));
    group.bench_function("mutex", |b| {
        b.iter_custom(|n| {
            simulated(n, |n| {
                let lock = Mutex::new(0);
                (0..n).for_each(|_| *lock.lock() += 1);
            })
        });
    });
    group.bench_function("contended mutex", |b| {
        b.iter_custom(|n| {
            simulated(n, |n| {
                let lock = Arc::new(Mutex::new(0));
                let work = move |lock: Arc<Mutex<u64>>| {
                    for _ in 0..n / 2 {
                        let mut guard = lock.lock();
                        yield_now();
                        *guard += 1;
                    }
                };
                let other = Arc::clone(&lock);
                let task = spawn(move || work(other));
                work(lock);
                task.join().expect("no task is killed");
            })
        });
    });
    type Channel = fn() -> (labrpc::Sender<u64>, labrpc::Receiver<u64>);
    for (name, make) in [("channel", channel as Channel), ("rendezvous", rendezvous)] {
        group.bench_function(format!("{name} ping-pong"), |b| {
            b.iter_custom(|n| {
                simulated(n, move |n| {
                    let ((ping, pinged), (pong, ponged)) = (make(), make());
                    spawn(move || pinged.iter().for_each(|i| _ = pong.send(i)));
                    for i in 0..n {
                        ping.send(i).expect("the other task listens");
                        assert_eq!(ponged.recv(), Ok(i));
                    }
                })
            });
        });
    }
}

/// Short measurements: the results vary by a few percent at most.
fn criterion() -> Criterion {
    Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .without_plots()
}

criterion_group! {
    name = benches;
    config = criterion();
    targets = simulated_rpc, real_rpc, tasks, sync
}
criterion_main!(benches);
