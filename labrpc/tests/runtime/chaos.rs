//! A program in which everything happens: five servers gossip, clients write, the network is
//! unreliable, is split and healed, and servers crash and restart.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use labrpc::{
    ClientEnd, Condvar, Mutex, Network, Node, Outcome, Persister, Policy, Server, Service,
    Simulation, channel, note, rng, sleep, spawn,
};
use log::info;
use rand::RngExt;

/// How many servers there are.
const SERVERS: usize = 5;
/// How many times something goes wrong.
const ROUNDS: usize = 12;

/// What a server knows: the highest number that it has heard of for each key.
type Known = BTreeMap<u32, u64>;

/// Runs the program.
pub fn run(seed: u64, policy: Policy) -> Outcome<Known> {
    Simulation::new(seed).policy(policy).run(|| Cluster::start().torment())
}

/// Runs the program, and then again with a recorder.
pub fn record(seed: u64, policy: Policy) -> Outcome<Known> {
    Simulation::new(seed).policy(policy).record(true).run(|| Cluster::start().torment())
}

/// The servers, and the network between them.
struct Cluster {
    network: Network,
    nodes: Vec<Node>,
    disks: Vec<Persister>,
    restarts: u32,
}

/// One server.
struct Gossip {
    me: usize,
    known: Mutex<Known>,
    changed: Condvar,
    disk: Persister,
}

impl Cluster {
    /// Starts all servers.
    fn start() -> Self {
        let network = Network::new();
        let nodes = (0..SERVERS).map(|me| Node::new(&format!("S{me}"))).collect();
        let disks = (0..SERVERS).map(|_| Persister::new()).collect();
        let cluster = Self { network, nodes, disks, restarts: 0 };
        (0..SERVERS).for_each(|me| cluster.boot(me));
        cluster
    }

    /// Starts a server on its node.
    fn boot(&self, me: usize) {
        let peers: Vec<ClientEnd> = (0..SERVERS).map(|peer| self.end(me, peer)).collect();
        let disk = self.disks[me].clone();
        let server = self.nodes[me].call(move || serve(me, peers, disk));
        self.network.add_server(&format!("S{me}"), server.expect("a fresh node is alive"));
    }

    /// A fresh end from one server to another.
    fn end(&self, from: usize, to: usize) -> ClientEnd {
        let name = format!("{from}-{to}-{}", self.restarts);
        let end = self.network.make_end_of(&format!("S{from}"), &name);
        self.network.connect(&name, &format!("S{to}"));
        self.network.enable(&name);
        end
    }

    /// Lets things go wrong while a client writes; returns what is known at the end.
    fn torment(mut self) -> Known {
        let client = self.end(SERVERS, 0);
        let writer = spawn(move || {
            let put = |i: u32| client.call::<_, bool>("Gossip.Put", &(i % 7, u64::from(i)));
            (0..40).filter(|i| put(*i).is_ok()).count()
        });
        for _ in 0..ROUNDS {
            self.misbehave();
            sleep(Duration::from_millis(rng().random_range(1..60)));
        }
        self.network.heal();
        self.network.set_reliable(true);
        self.network.set_long_reordering(false);
        sleep(Duration::from_millis(500));
        let written = writer.join().expect("the writer is not on a node that crashes");
        let known: Known =
            self.end(SERVERS, 1).call("Gossip.Merge", &Known::new()).unwrap_or_default();
        note(format_args!("{written} written, {known:?} known"));
        known
    }

    /// One thing goes wrong, or right again.
    fn misbehave(&mut self) {
        let victim = rng().random_range(0..SERVERS as u32) as usize;
        let other = (victim + 1) % SERVERS;
        let (victim_name, other_name) = (format!("S{victim}"), format!("S{other}"));
        match rng().random_range(0..7_u32) {
            0 => self.network.set_reliable(rng().random_ratio(1, 2)),
            1 => self.network.set_long_reordering(rng().random_ratio(1, 2)),
            2 => self.network.partition(&[&["S0", "S1"], &["S2", "S3", "S4"]]),
            3 => self.network.heal(),
            4 => self.network.cut(&victim_name, &other_name),
            5 => self.network.mend(&victim_name, &other_name),
            _ => {
                self.nodes[victim].crash();
                self.network.delete_server(&victim_name);
                sleep(Duration::from_millis(rng().random_range(0..30)));
                self.restarts += 1;
                self.nodes[victim] = Node::new(&victim_name);
                self.boot(victim);
            }
        }
    }
}

/// Starts the tasks of a server and returns what answers its calls.
fn serve(me: usize, peers: Vec<ClientEnd>, disk: Persister) -> Server {
    let known = labrpc::decode(&disk.raft_state()).unwrap_or_default();
    let gossip = Gossip { me, known: Mutex::new(known), changed: Condvar::new(), disk };
    let gossip = Arc::new(gossip);
    let ticking = Arc::clone(&gossip);
    spawn(move || ticking.tick(&peers));
    let (news, heard) = channel();
    let watching = Arc::clone(&gossip);
    spawn(move || watching.watch(|sum| news.send(sum).is_ok()));
    spawn(move || heard.iter().for_each(|sum: u64| info!(target: "NEWS", "S{me} sums to {sum}")));
    let (putting, merging) = (Arc::clone(&gossip), gossip);
    let service = Service::new("Gossip")
        .method("Put", move |(key, value): (u32, u64)| putting.learn([(key, value)].into()))
        .method("Merge", move |theirs: Known| {
            merging.learn(theirs);
            merging.known.lock().clone()
        });
    Server::new().with(service)
}

impl Gossip {
    /// Tells a random peer what it knows, forever.
    fn tick(&self, peers: &[ClientEnd]) {
        loop {
            sleep(Duration::from_millis(rng().random_range(5..30)));
            let peer = rng().random_range(0..SERVERS as u32) as usize;
            if peer == self.me {
                continue;
            }
            let known = self.known.lock().clone();
            if let Ok(theirs) = peers[peer].call("Gossip.Merge", &known) {
                self.learn(theirs);
            }
        }
    }

    /// Passes on the sum of what is known whenever it changes, as long as `tell` wants to hear it.
    fn watch(&self, tell: impl Fn(u64) -> bool) {
        let mut last = 0;
        loop {
            let known = self.known.lock();
            let known = self.changed.wait_while(known, |known| known.values().sum::<u64>() == last);
            last = known.values().sum();
            drop(known);
            if !tell(last) {
                return;
            }
        }
    }

    /// Takes what is news over; says whether anything was.
    fn learn(&self, theirs: Known) -> bool {
        let mut known = self.known.lock();
        let mut news = false;
        for (key, value) in theirs {
            let mine = known.entry(key).or_default();
            news |= value > *mine;
            *mine = value.max(*mine);
        }
        if news {
            self.disk.save_raft_state(labrpc::encode(&*known));
            self.changed.notify_all();
        }
        news
    }
}
