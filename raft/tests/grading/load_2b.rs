//! Part 2B: what a leader sends while it is busy.

use std::time::Duration;

use labrpc::sleep;
use testkit::{Culprit, lab_test};

use crate::cluster::{NewTerm, RaftCluster};

/// How many seconds the leader is busy.
const SECONDS: usize = 8;
/// How many times in each of them replies reach the leader.
const ROUNDS: usize = 50;
/// How long replies are held: several commands arrive meanwhile, so the leader has something to
/// send whenever a reply comes.
const ROUND: Duration = Duration::from_millis(20);
/// How many commands arrive meanwhile.
const COMMANDS: u32 = 4;

/// A leader under a steady load makes a steady number of calls. A heartbeat in the middle of a call
/// is a second call; if each of the two replies is followed by a new call, every heartbeat adds a
/// call that goes on as long as the load.
///
/// A leader that limits its calls to a follower may take some seconds to come to that limit, and a
/// server that stands still may end many of them: so the busiest second of the first half is compared
/// with that of the second half.
#[test]
fn load_takes_steady_rpcs_2b() {
    lab_test("load_takes_steady_rpcs_2b", |sim| {
        let cluster = RaftCluster::start(sim, 3);
        let (leader, rpcs) = cluster.undisturbed(|| count_rpcs_under_load(&cluster));
        let [first, second] = [&rpcs[..SECONDS / 2], &rpcs[SECONDS / 2..]].map(highest);
        if 3 * second > 4 * first {
            let actual = format!("RPCs in each second of a steady load: {rpcs:?}");
            let property = "the number of calls does not grow while the load is the same";
            sim.violated_by(Culprit::of(format!("S{leader}")), property, actual);
        }
    });
}

/// The highest of some numbers.
fn highest(numbers: &[u64]) -> u64 {
    numbers.iter().copied().max().unwrap_or_default()
}

/// Keeps a leader busy that gets replies once in a [`ROUND`]; returns it, and the number of RPCs
/// that reached servers in each second.
fn count_rpcs_under_load(cluster: &RaftCluster) -> Result<(usize, [u64; SECONDS]), NewTerm> {
    let (leader, term) = cluster.check_leader_and_term();
    let followers = [1, 2].map(|places| cluster.after(leader, places));
    followers.iter().for_each(|&follower| cluster.hold_replies(leader, follower));
    let mut rpcs = [0; SECONDS];
    for used in &mut rpcs {
        let before = cluster.rpcs_received();
        for _ in 0..ROUNDS {
            for _ in 0..COMMANDS {
                cluster.propose(leader, &cluster.command());
                sleep(ROUND / COMMANDS);
            }
            cluster.network().release();
        }
        *used = cluster.rpcs_received() - before;
    }
    followers.iter().for_each(|&follower| cluster.pass(leader, follower));
    cluster.network().release();
    if cluster.highest_term() == term { Ok((leader, rpcs)) } else { Err(NewTerm) }
}
