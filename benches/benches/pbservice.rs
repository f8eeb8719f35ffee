//! Measures acknowledged puts with five servers on the loopback interface, each with real files
//! that it syncs, and, for comparison, the disk alone. The five servers share one disk, so a put of
//! one client takes at least three syncs of that disk.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use labrpc::socket::{self, Address, Listener, Options};
use labrpc::{ClientEnd, Disk, Instant, Server, spawn};
use pbservice::{Clerk, Config, PbServer, SNAPSHOT_EVERY};
use tempfile::TempDir;

/// Servers.
const SERVERS: usize = 5;
/// What is put.
const VALUE: &str = "0123456789";

/// Servers that run until they are dropped.
struct Cluster {
    addresses: Vec<SocketAddr>,
    servers: Vec<(PbServer, Listener)>,
    _files: TempDir,
}

/// A way to a server.
fn end(address: SocketAddr) -> ClientEnd {
    socket::connect(&Address::Tcp(address.to_string()), Options::default())
}

impl Cluster {
    /// Starts the servers and waits until one of them serves.
    fn start() -> Self {
        let files = tempfile::tempdir().expect("temporary directories can be made");
        let ports: Vec<TcpListener> = (0..SERVERS)
            .map(|_| TcpListener::bind("127.0.0.1:0").expect("there is a free port"))
            .collect();
        let addresses: Vec<SocketAddr> =
            ports.iter().map(|port| port.local_addr().expect("it is bound")).collect();
        drop(ports);
        let start = |&address: &SocketAddr| {
            let peers = addresses.iter().map(|&peer| (peer, end(peer))).collect();
            let snapshot_every = SNAPSHOT_EVERY;
            let config = Config { address, peers, snapshot_every, is_new: true };
            let disk = Disk::at(files.path().join(address.port().to_string()));
            let server = PbServer::start(config, disk.expect("the directory is ours"));
            let server = server.expect("the disk is new");
            let services = Server::new().with(server.service());
            let listener = socket::listen(&Address::Tcp(address.to_string()), services);
            (server, listener.expect("the port was free"))
        };
        let servers = addresses.iter().map(start).collect();
        let cluster = Self { addresses, servers, _files: files };
        cluster.clerk().put("k", VALUE);
        cluster
    }

    /// A client with its own connections.
    fn clerk(&self) -> Clerk {
        Clerk::new(self.addresses.iter().map(|&address| (address, end(address))).collect())
    }

    /// Divides a number of puts among clients, and returns the time that they took.
    fn put_all(&self, puts: u64, clients: u64) -> Duration {
        let mut clerks: Vec<Clerk> = (0..clients).map(|_| self.clerk()).collect();
        // All clients know the primary and are connected.
        clerks.iter_mut().for_each(|clerk| drop(clerk.get("k")));
        let began = Instant::now();
        let start = |(number, mut clerk): (usize, Clerk)| {
            let key = number.to_string();
            spawn(move || (0..puts.div_ceil(clients)).for_each(|_| clerk.put(&key, VALUE)))
        };
        let tasks: Vec<_> = clerks.into_iter().enumerate().map(start).collect();
        tasks.into_iter().for_each(|task| task.join().expect("no task is killed"));
        began.elapsed()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.servers.iter().for_each(|(server, _)| server.kill());
    }
}

/// The disk alone: appends of a record's length, each with a sync.
fn disk(c: &mut Criterion) {
    let files = tempfile::tempdir().expect("temporary directories can be made");
    let disk = Disk::at(files.path()).expect("the directory is ours");
    let mut group = c.benchmark_group("disk");
    group.throughput(Throughput::Elements(1));
    group.bench_function("append and sync", |b| {
        b.iter(|| {
            disk.append("log", &[7; 60]).expect("there is room");
            disk.sync("log").expect("the disk works");
        });
    });
}

/// Acknowledged puts.
fn puts(c: &mut Criterion) {
    let mut group = c.benchmark_group("pbservice over TCP");
    let cluster = Cluster::start();
    for clients in [1, 64] {
        // One iteration has enough puts that starting the clients has little effect.
        let puts = 10 * clients;
        group.throughput(Throughput::Elements(puts));
        group.bench_function(format!("put, {clients} clients"), |b| {
            b.iter_custom(|n| cluster.put_all(n * puts, clients));
        });
    }
}

criterion_group! {
    name = benches;
    config = benches::few_samples();
    targets = disk, puts
}
criterion_main!(benches);
