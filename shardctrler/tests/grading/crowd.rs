//! Many clients at once, and faults: each request must count once.
//!
//! Every group joins once and leaves once, and no shard is moved to the same group twice by hand.
//! So the history itself tells how often each request was executed, in whichever order they came.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use labrpc::{JoinHandle, sleep, spawn};
use shardctrler::{Gid, SHARDS};
use testkit::{ELECTION_TIMEOUT, Sim, Violation};

use crate::clerk::{CheckedClerk, group};
use crate::cluster::CtrlCluster;
use crate::step::{Step, picture};

/// The groups that are there all the time, and to which shards are moved by hand.
const RESIDENTS: [Gid; 2] = [1, 2];
/// How many clients have groups join and leave.
const HOSTS: Gid = 4;
/// How many groups each of them has.
const GUESTS: Gid = 6;
/// How many clients move shards.
const MOVERS: usize = 2;

/// What goes wrong meanwhile.
#[derive(Clone, Copy, Default)]
pub struct Faults {
    /// All servers go down and up again, and again.
    pub restarts: bool,
    /// The servers are split again and again.
    pub partitions: bool,
}

/// What a client does.
enum Job {
    /// Has these groups join and leave, one after the other.
    Host(Range<Gid>),
    /// Moves each of these shards to each resident.
    Move(Range<usize>),
}

/// Lets the clients work on a network that loses messages, and checks what has become of it.
pub fn run(sim: &Sim, faults: Faults) {
    let cluster = CtrlCluster::start(sim);
    let mut clerk = cluster.client();
    clerk.join(RESIDENTS.map(|gid| group(gid, "a b c")));
    sim.network().set_reliable(false);

    let over = Arc::new(AtomicBool::new(false));
    let injector = inject_faults(&cluster, faults, &over);
    let hosts = (1..=HOSTS).map(|host| Job::Host(100 * host..100 * host + GUESTS));
    let share = SHARDS / MOVERS;
    let movers = (0..MOVERS).map(|mover| Job::Move(mover * share..(mover + 1) * share));
    let observed = cluster.clone();
    cluster.at_once(hosts.chain(movers), move |mut clerk, job| match job {
        Job::Host(guests) => guests.for_each(|gid| receive(&mut clerk, gid)),
        Job::Move(shards) => shards.for_each(|shard| move_around(&observed, &mut clerk, shard)),
    });
    over.store(true, Relaxed);
    injector.join().expect("nobody crashes the test");

    sim.network().set_reliable(true);
    let steps = cluster.check_history(&mut clerk);
    sim.check(check_requests(&steps));
}

/// A task that injects faults until `over` is set.
fn inject_faults(cluster: &CtrlCluster, faults: Faults, over: &Arc<AtomicBool>) -> JoinHandle<()> {
    let (cluster, over) = (cluster.clone(), Arc::clone(over));
    spawn(move || {
        while !over.load(Relaxed) {
            sleep(ELECTION_TIMEOUT);
            if faults.restarts {
                cluster.restart_all();
            }
            if faults.partitions {
                cluster.partition_at_random();
            }
        }
        cluster.connect_all();
    })
}

/// A group joins and leaves.
fn receive(clerk: &mut CheckedClerk, gid: Gid) {
    clerk.join([group(gid, "s t")]);
    clerk.leave(&[gid]);
}

/// Moves a shard to each resident, and looks whether it was there; a moment later it may be
/// elsewhere.
fn move_around(cluster: &CtrlCluster, clerk: &mut CheckedClerk, shard: usize) {
    for gid in RESIDENTS {
        let before = clerk.latest();
        clerk.move_shard(shard, gid);
        let after = clerk.latest();
        let mut between = (before.num..=after.num).map(|num| clerk.at(num));
        if !between.any(|config| config.shards[shard] == gid) {
            let (before, after) = (picture(&before), picture(&after));
            let actual =
                format!("Move({shard}, {gid}) after {before} is not in {after}, nor between");
            cluster.sim().violated("a request that has returned was executed", actual);
        }
    }
}

/// Each join and each leave was executed once. So was each move, unless it changed nothing, in
/// which case there may be a configuration for it.
fn check_requests(steps: &[Step]) -> Result<(), Violation> {
    let guests = (1..=HOSTS).flat_map(|host| 100 * host..100 * host + GUESTS);
    let comings = guests.clone().map(|gid| Step::Join(vec![gid]));
    let goings = guests.map(|gid| Step::Leave(vec![gid]));
    let mut due: Vec<Step> = vec![Step::Join(RESIDENTS.to_vec())];
    due.extend(comings.chain(goings));
    let to_residents = |shard| RESIDENTS.map(|gid| Step::Move(shard, gid));
    let mut moves: Vec<Step> = (0..SHARDS).flat_map(to_residents).collect();
    let requests = due.len() + moves.len();

    for step in steps.iter().filter(|step| **step != Step::Nothing) {
        let open = if matches!(step, Step::Move(..)) { &mut moves } else { &mut due };
        match open.iter().position(|open| open == step) {
            Some(place) => drop(open.swap_remove(place)),
            None => return Err(twice(format!("{step:?} was executed again"))),
        }
    }
    if !due.is_empty() {
        let actual = format!("these have left no trace: {due:?}");
        return Err(Violation::new("a request that has returned was executed", actual));
    }
    if steps.len() > requests {
        let actual = format!("{requests} requests made {} configurations", steps.len());
        return Err(twice(actual));
    }
    Ok(())
}

/// A request took effect more than once.
fn twice(actual: String) -> Violation {
    Violation::new("each request takes effect once, however often it is sent", actual)
}
