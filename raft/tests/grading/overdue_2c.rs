//! Part 2C: a save takes so long that the election timer runs out meanwhile.

use std::time::Duration;

use labrpc::{Instant, sleep};
use raft::RaftState;
use testkit::{Culprit, ELECTION_TIMEOUT, LabTest, wait_until};

use crate::cluster::{ON_THE_WAY, RaftCluster};

/// How often the scene is played.
const ROUNDS: u32 = 20;
/// How long a save takes: longer than most election timeouts. If one is longer, the timer does not run
/// out, and the round shows nothing.
const SAVE_TIME: Duration = Duration::from_secs(1);
/// At least for so long, requests are held: longer than accepted heartbeats are apart.
const HELD_FOR: Duration = Duration::from_millis(250);
/// How long before the end of the save they are released.
const BEFORE_END: Duration = Duration::from_millis(20);
/// Shorter than any election timeout.
const SOON: Duration = Duration::from_millis(100);

/// A server whose election timer runs out, and that hears its leader before it stands, waits for an
/// election timeout anew: whether the timer has run out is looked at under the lock under which it
/// stands (Figure 2, rules for followers).
///
/// ```text
///     a handler    lock, restart the timer, save ..................... unlock
///     timer task                 it runs out: wait for the lock .......        lock, look, stand
///     a handler                            wait for the lock .................
/// ```
///
/// Either may get the lock first. If the timer task looks and unlocks, and then locks again to stand,
/// the handler may restart the timer in between.
#[test]
fn overdue_timer_is_restarted_2c() {
    LabTest::new("overdue_timer_is_restarted_2c").with_frequent_switches().run(|sim| {
        let cluster = RaftCluster::start(sim, 7);
        for _ in 0..ROUNDS {
            let (leader, term) = cluster.check_leader_and_term();
            let slow = [1, 2, 3].map(|places| cluster.after(leader, places));
            slow.iter().for_each(|&server| hear_only(&cluster, server, leader));
            if let Some(news) = tell_overdue(&cluster, (leader, term), slow) {
                sleep(SOON * 8 / 10);
                slow.iter().for_each(|&server| check_waits(&cluster, server, &news));
            }
            slow.iter().for_each(|&server| cluster.pass(leader, server));
            cluster.heal();
            cluster.network().release();
            cluster.one_retrying(cluster.command(), 7);
        }
    });
}

/// A command that a server can have heard of only from the leader.
struct News {
    leader: usize,
    term: u64,
    index: u64,
    /// Not before this.
    from: Instant,
}

/// Lets a server be called by the leader only, and call no server.
fn hear_only(cluster: &RaftCluster, server: usize, leader: usize) {
    let others = cluster.all().filter(|&other| other != server);
    others.clone().for_each(|other| cluster.cut(server, other));
    others.filter(|&other| other != leader).for_each(|other| cluster.cut(other, server));
}

/// Has three of seven servers save for so long that their timers run out, and hear near the end of a
/// command that the other four have committed meanwhile. `None` if the leader is deposed, as nothing is
/// committed then.
fn tell_overdue(
    cluster: &RaftCluster,
    (leader, term): (usize, u64),
    slow: [usize; 3],
) -> Option<News> {
    slow.iter().for_each(|&server| cluster.slow_disk_down(server, SAVE_TIME));
    let saved = commit(cluster, (leader, term));
    sleep(ON_THE_WAY);
    let end = Instant::now() + SAVE_TIME;
    for server in slow {
        cluster.slow_disk_down(server, Duration::ZERO);
        cluster.cut(leader, server);
    }
    saved?;

    // All that the leader sends from here on tells of the command.
    sleep(SAVE_TIME - 2 * HELD_FOR);
    let index = commit(cluster, (leader, term))?;
    for server in slow {
        cluster.hold_requests(leader, server);
        cluster.mend(leader, server);
    }
    sleep(end - BEFORE_END - Instant::now());
    let from = Instant::now();
    cluster.network().release();
    // Asked after the release, so that no request of a later term can have been released.
    let still_leads = cluster.state(leader) == Some(RaftState { term, is_leader: true });
    still_leads.then_some(News { leader, term, index, from })
}

/// Proposes a command to the leader of a term, and waits until it has applied it; returns its index.
fn commit(cluster: &RaftCluster, (leader, term): (usize, u64)) -> Option<u64> {
    let command = cluster.command();
    let place = cluster.propose(leader, &command)?;
    let index = place.index;
    let is_applied = || {
        cluster.ledger(|ledger| {
            ledger.applied(leader) >= index && ledger.chosen(index) == Some(&command)
        })
    };
    let interval = ELECTION_TIMEOUT / 1000;
    (place.term == term && wait_until(ELECTION_TIMEOUT / 5, interval, is_applied)).then_some(index)
}

/// Checks that a server that has heard the news has not stood since.
fn check_waits(cluster: &RaftCluster, server: usize, news: &News) {
    let Some(state) = cluster.state(server) else { return };
    // It could not apply the command after it stood: requests of the old term are refused, and there
    // is no other leader that could call it.
    let has_heard = cluster.ledger(|ledger| ledger.applied(server)) >= news.index;
    let is_soon = news.from.elapsed() < SOON;
    if has_heard && is_soon && state.term > news.term {
        let News { leader, term, .. } = news;
        let actual = format!(
            "S{server} heard S{leader}@{term}, and started an election in term {} within 0.1 s",
            state.term
        );
        let culprit = Culprit {
            others: vec![format!("S{leader}")],
            term: Some(state.term),
            ..Culprit::of(format!("S{server}"))
        };
        let property = "a server that has heard its leader starts no election before a timeout";
        cluster.sim().violated_by(culprit, property, actual);
    }
}
