//! Part 2B: log replication (§5.3, §5.4).

use labrpc::{JoinHandle, rng, spawn};
use raft::LogPos;
use rand::RngExt as _;
use testkit::{Culprit, ELECTION_TIMEOUT, Sim, Violation, lab_test};

use crate::cluster::{NewTerm, RaftCluster};
use crate::command::Command;
use crate::ledger::Ledger;

/// Commands are agreed on, one after the other, at the indices that follow each other.
#[test]
fn basic_agree_2b() {
    lab_test("basic_agree_2b", |sim| {
        let cluster = RaftCluster::start(sim, 3);
        cluster.undisturbed(|| {
            let before = cluster.ledger(Ledger::max_index);
            for index in before + 1..=before + 3 {
                cluster.check_not_committed(index);
                let agreed = cluster.one_in_term(index * 100, 3)?;
                check_index(sim, agreed, index);
            }
            Ok(())
        });
    });
}

/// Commands that are proposed one after the other get consecutive indices.
fn check_index(sim: &Sim, agreed: u64, expected: u64) {
    if agreed != expected {
        let actual = format!("got index {agreed} but expected {expected}");
        sim.violated("commands get consecutive indices from 1 on", actual);
    }
}

/// Each command is sent to each peer just once.
#[test]
fn rpc_bytes_2b() {
    lab_test("rpc_bytes_2b", |sim| {
        /// How many commands are sent.
        const COUNT: u64 = 10;
        /// How many bytes each of them has.
        const SIZE: u64 = 5000;
        let cluster = RaftCluster::start(sim, 3);
        let used = cluster.undisturbed(|| {
            let first = cluster.one_in_term(99, 3)?;
            let (term, before) = (cluster.highest_term(), cluster.network().total_bytes());
            for index in first + 1..=first + COUNT {
                let text: u64 = rng().random();
                let command = Command::padded(&format!("{text:x}"), SIZE as usize);
                check_index(sim, cluster.one_in_term(command, 3)?, index);
            }
            let used = cluster.network().total_bytes() - before;
            // A new leader may have to send again what its followers have.
            if cluster.highest_term() == term { Ok(used) } else { Err(NewTerm) }
        });

        // The two peers need the payload once each. Everything else is small in our codec, so the
        // course's limit leaves room for one more copy and as much again.
        let limit = 3 * COUNT * SIZE + 50_000;
        if used > limit {
            let actual = format!("too many RPC bytes; got {used}, expected at most {limit}");
            sim.violated("each command is sent to each peer just once", actual);
        }
    });
}

/// A leader does not send again what its followers have: heartbeats are small, however long the
/// log.
#[test]
fn log_is_sent_once_2b() {
    lab_test("log_is_sent_once_2b", |sim| {
        let cluster = RaftCluster::start(sim, 3);
        for number in 0..20 {
            cluster.one(Command::padded(&format!("large {number}"), 1000), 3);
        }
        sim.sleep(ELECTION_TIMEOUT);

        let (bytes, rpcs) = (cluster.network().total_bytes(), cluster.network().total_rpcs());
        sim.sleep(2 * ELECTION_TIMEOUT);
        let bytes = cluster.network().total_bytes() - bytes;
        let rpcs = cluster.network().total_rpcs() - rpcs;

        // A heartbeat with its reply takes about 10 bytes in our codec. 200 each leave room for any
        // format, and one entry in each would still be too much.
        let limit = 200 * rpcs;
        if bytes > limit {
            let actual = format!("{rpcs} RPCs took {bytes} bytes, expected at most {limit}");
            sim.violated("an idle leader sends no entries", actual);
        }
    });
}

/// The majority goes on without a follower; a leader alone commits nothing.
#[test]
fn follower_failure_2b() {
    lab_test("follower_failure_2b", |sim| {
        let cluster = RaftCluster::start(sim, 3);
        cluster.one(101, 3);

        // A follower is cut off; the leader and the other one agree.
        let first = cluster.check_one_leader();
        cluster.disconnect(cluster.after(first, 1));
        cluster.one(102, 2);
        sim.sleep(ELECTION_TIMEOUT);
        let next = 1 + cluster.one(103, 2);

        // The other follower is cut off too.
        let second = cluster.check_one_leader();
        cluster.disconnect(cluster.after(second, 1));
        cluster.disconnect(cluster.after(second, 2));
        propose_at(&cluster, second, 104, next..=next);

        sim.sleep(2 * ELECTION_TIMEOUT);
        cluster.check_not_committed(next);
    });
}

/// The majority goes on without its leader; a leader alone commits nothing.
#[test]
fn leader_failure_2b() {
    lab_test("leader_failure_2b", |sim| {
        let cluster = RaftCluster::start(sim, 3);
        cluster.one(101, 3);

        cluster.disconnect(cluster.check_one_leader());
        cluster.one(102, 2);
        sim.sleep(ELECTION_TIMEOUT);
        let next = 1 + cluster.one(103, 2);

        cluster.disconnect(cluster.check_one_leader());
        let command = Command::from(104);
        cluster.propose_to_all(&command);

        sim.sleep(2 * ELECTION_TIMEOUT);
        cluster.check_not_committed(next);
    });
}

/// A follower that was cut off catches up.
#[test]
fn fail_agree_2b() {
    lab_test("fail_agree_2b", |sim| {
        let cluster = RaftCluster::start(sim, 3);
        cluster.one(101, 3);

        let lost = cluster.after(cluster.check_one_leader(), 1);
        cluster.disconnect(lost);
        cluster.one(102, 2);
        cluster.one(103, 2);
        sim.sleep(ELECTION_TIMEOUT);
        cluster.one(104, 2);
        cluster.one(105, 2);

        cluster.connect(lost);
        cluster.one_retrying(106, 3);
        sim.sleep(ELECTION_TIMEOUT);
        cluster.one_retrying(107, 3);
    });
}

/// With three of five servers cut off nothing is agreed on; afterwards everything is again.
#[test]
fn fail_no_agree_2b() {
    lab_test("fail_no_agree_2b", |sim| {
        let cluster = RaftCluster::start(sim, 5);
        let next = 1 + cluster.one(10, 5);

        let leader = cluster.check_one_leader();
        let lost = [1, 2, 3].map(|places| cluster.after(leader, places));
        lost.iter().for_each(|&server| cluster.disconnect(server));
        propose_at(&cluster, leader, 20, next..=next);
        sim.sleep(2 * ELECTION_TIMEOUT);
        cluster.check_not_committed(next);

        // The three may have elected a leader among themselves before, who forgot that index.
        lost.iter().for_each(|&server| cluster.connect(server));
        let leader = cluster.check_one_leader();
        propose_at(&cluster, leader, 30, next..=next + 1);
        cluster.one_retrying(1000, 5);
    });
}

/// A leader takes commands from several tasks at once, and all of them are committed.
#[test]
fn concurrent_starts_2b() {
    lab_test("concurrent_starts_2b", |sim| {
        let cluster = RaftCluster::start(sim, 3);
        let committed = cluster.undisturbed(|| start_five_at_once(&cluster));
        for command in five_commands() {
            if !committed.contains(&command) {
                let actual = format!("cmd {command:?} missing in {committed:?}");
                sim.violated("all commands that a leader took are committed", actual);
            }
        }
    });
}

/// The commands that are proposed at once.
fn five_commands() -> impl Iterator<Item = Command> {
    (100..105).map(Command::from)
}

/// Proposes five commands at once to the leader; returns those that were committed.
fn start_five_at_once(cluster: &RaftCluster) -> Result<Vec<Command>, NewTerm> {
    let leader = cluster.check_one_leader();
    let LogPos { term, .. } = cluster.propose(leader, &Command::from(1)).ok_or(NewTerm)?;
    let propose = |command: Command| -> JoinHandle<Option<LogPos>> {
        let cluster = cluster.clone();
        spawn(move || cluster.propose(leader, &command))
    };
    let tasks: Vec<_> = five_commands().map(propose).collect();
    let taken = tasks.into_iter().filter_map(|task| task.join().expect("tests do not crash"));
    let indices: Vec<u64> = taken.filter(|pos| pos.term == term).map(|pos| pos.index).collect();
    if cluster.highest_term() != term {
        return Err(NewTerm);
    }
    indices.into_iter().map(|index| cluster.wait_in_term(index, 3, term)).collect()
}

/// A leader that was cut off with entries that nobody else has drops them when it is back.
#[test]
fn rejoin_2b() {
    lab_test("rejoin_2b", |sim| {
        let cluster = RaftCluster::start(sim, 3);
        cluster.one_retrying(101, 3);

        // The leader is cut off and takes commands that it cannot commit.
        let first = cluster.check_one_leader();
        cluster.disconnect(first);
        for lost in 1102..=1104 {
            cluster.propose(first, &Command::from(lost));
        }

        // A new leader commits for index 2 too.
        cluster.one_retrying(103, 2);

        // The new one is cut off, and the old one is back.
        let second = cluster.check_one_leader();
        cluster.disconnect(second);
        cluster.connect(first);
        cluster.one_retrying(104, 2);

        // All are together.
        cluster.connect(second);
        cluster.one_retrying(105, 3);
    });
}

/// A leader backs up quickly over followers' logs that went astray for long.
#[test]
fn backup_2b() {
    lab_test("backup_2b", |sim| {
        let cluster = RaftCluster::start(sim, 5);
        cluster.one_retrying(cluster.command(), 5);

        // A leader with one follower takes commands that it cannot commit.
        let first = cluster.check_one_leader();
        let pair = [first, cluster.after(first, 1)];
        let three = [2, 3, 4].map(|places| cluster.after(first, places));
        cluster.connect_only(&pair);
        propose_fifty(&cluster, first);
        sim.sleep(ELECTION_TIMEOUT / 2);

        // The other three commit many.
        cluster.connect_only(&three);
        agree_on_fifty(&cluster);

        // Their leader with one follower takes commands that it cannot commit.
        let second = cluster.check_one_leader();
        let other = if second == three[0] { three[1] } else { three[0] };
        cluster.disconnect(other);
        propose_fifty(&cluster, second);
        sim.sleep(ELECTION_TIMEOUT / 2);

        // The first pair, whose logs went astray earlier, and the one who was left commit many.
        cluster.connect_only(&[pair[0], pair[1], other]);
        agree_on_fifty(&cluster);

        // All are together.
        cluster.connect_only(&[0, 1, 2, 3, 4]);
        cluster.one_retrying(cluster.command(), 5);
    });
}

/// Proposes fifty commands to one server.
fn propose_fifty(cluster: &RaftCluster, server: usize) {
    (0..50).for_each(|_| _ = cluster.propose(server, &cluster.command()));
}

/// Agrees on fifty commands, one after the other, among the three servers that are connected.
fn agree_on_fifty(cluster: &RaftCluster) {
    (0..50).for_each(|_| _ = cluster.one_retrying(cluster.command(), 3));
}

/// An election, agreement on some commands, and idling take few RPCs.
#[test]
fn count_2b() {
    lab_test("count_2b", |sim| {
        let cluster = RaftCluster::start(sim, 3);
        cluster.check_one_leader();
        let used = cluster.rpcs_received();
        if !(1..=30).contains(&used) {
            let actual = format!("too many or few RPCs ({used}) to elect initial leader");
            sim.violated("an election takes few RPCs", actual);
        }

        // A leader with several calls in flight needs many more if a server stands still for a
        // moment, but not five times in a row.
        let mut attempts = 0;
        cluster.undisturbed(|| {
            attempts += 1;
            check_rpcs_of_agreement(count_rpcs_of_agreement(&cluster)?).or_else(|violation| {
                if attempts < 5 { Err(NewTerm) } else { sim.check(Err(violation)) }
            })
        });

        let before = cluster.rpcs_received();
        sim.sleep(ELECTION_TIMEOUT);
        let used = cluster.rpcs_received() - before;
        // Ten heartbeats a second to two peers, as the course allows, and twice as many again.
        if used > 3 * 20 {
            let actual = format!("too many RPCs ({used}) for 1 second of idleness");
            sim.violated("an idle leader sends few RPCs", actual);
        }
    });
}

/// How many commands must be committed before [`count_rpcs_of_agreement`] takes the count.
const COUNTED: u64 = 10;

/// Agrees on twelve commands; returns how many RPCs that took.
fn count_rpcs_of_agreement(cluster: &RaftCluster) -> Result<u64, NewTerm> {
    let leader = cluster.check_one_leader();
    let before = cluster.rpcs_received();
    let first = cluster.propose(leader, &cluster.command()).ok_or(NewTerm)?;
    let mut commands = Vec::new();
    for i in 1..COUNTED + 2 {
        let command = cluster.command();
        let pos = cluster.propose(leader, &command).filter(|pos| pos.term == first.term);
        let LogPos { index, .. } = pos.ok_or(NewTerm)?;
        if index != first.index + i {
            let actual = format!("Start() failed: got index {index} for {}", first.index + i);
            let culprit = Culprit { index: Some(index), ..Culprit::of(format!("S{leader}")) };
            cluster.sim().violated_by(culprit, "commands get consecutive indices", actual);
        }
        commands.push(command);
    }
    for (index, command) in (first.index + 1..).zip(&commands[..COUNTED as usize]) {
        let agreed = cluster.wait_in_term(index, 3, first.term)?;
        if agreed != *command {
            let actual = format!("wrong value {agreed:?} committed for index {index}");
            let property = "a leader commits what it took at the index it named";
            let culprit = Culprit { index: Some(index), ..Culprit::of(format!("S{leader}")) };
            let actual = format!("{actual}; expected {command:?}");
            cluster.sim().violated_by(culprit, property, actual);
        }
    }
    if cluster.highest_term() != first.term {
        return Err(NewTerm);
    }
    Ok(cluster.rpcs_received() - before)
}

/// Twelve commands in a row take few RPCs.
fn check_rpcs_of_agreement(used: u64) -> Result<(), Violation> {
    let limit = (COUNTED + 1 + 3) * 3;
    if used <= limit {
        return Ok(());
    }
    let actual = format!("too many RPCs ({used}) for {COUNTED} entries; limit {limit}");
    Err(Violation::new("entries are sent without needless RPCs", actual))
}

/// Proposes a command to a leader, who must take it at one of these indices.
fn propose_at(
    cluster: &RaftCluster,
    leader: usize,
    command: u64,
    expected: std::ops::RangeInclusive<u64>,
) {
    let culprit = Culprit::of(format!("S{leader}"));
    let Some(LogPos { index, .. }) = cluster.propose(leader, &Command::from(command)) else {
        let actual = format!("leader S{leader} rejected Start()");
        cluster.sim().violated_by(culprit, "a leader takes commands", actual);
    };
    if !expected.contains(&index) {
        let actual = format!("unexpected index {index}, expected {expected:?}");
        let culprit = Culprit { index: Some(index), ..culprit };
        cluster.sim().violated_by(culprit, "commands get consecutive indices", actual);
    }
}
