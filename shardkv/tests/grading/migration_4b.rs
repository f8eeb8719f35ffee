//! Shards move one after the other, while one client looks.

use std::time::Duration;

use labrpc::{RecvTimeoutError, channel, spawn};
use testkit::lab_test;

use crate::cluster::ShardCluster;
use crate::data::Data;

/// Until a client is taken to wait for a group that is down.
const SILENCE: Duration = Duration::from_secs(2);
/// Near which size of the Raft state servers take snapshots.
const MAX_RAFT_STATE: usize = 1_000;

/// Each group serves its own shards, so half of them are gone with one of two groups.
#[test]
fn static_shards_4b() {
    lab_test("static_shards_4b", |sim| {
        let mut cluster = ShardCluster::start(sim, None);
        let mut clerk = cluster.client();
        cluster.join(&[0]);
        cluster.join(&[1]);
        let data = Data::put(&cluster, &mut clerk, 10, 20);
        data.check(&mut clerk);

        // Make sure that the data really is sharded: half of the gets must not complete.
        cluster.bring_down(&[1]);
        cluster.check_log_size();
        let (sender, values) = channel();
        for key in data.keys() {
            let (mut clerk, sender) = (cluster.client(), sender.clone());
            // Those that are stuck end when the group is back, and nobody listens.
            spawn(move || sender.send((key, clerk.get(&key.to_string()))).ok());
        }
        let mut completed = 0;
        loop {
            match values.recv_timeout(SILENCE) {
                Ok((key, value)) => data.check_read(key, &value),
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => unreachable!("this task has a sender too"),
            }
            completed += 1;
        }
        if completed != 5 {
            let actual = format!("expected 5 completions with one shard dead; got {completed}");
            sim.violated("a group serves its own shards, and no others", actual);
        }

        cluster.bring_up(&[1]);
        data.check(&mut clerk);
        cluster.check_history();
    });
}

/// Shards move to a group that joins, and away from one that leaves, which is not needed any more.
#[test]
fn join_leave_4b() {
    lab_test("join_leave_4b", |sim| {
        let mut cluster = ShardCluster::start(sim, None);
        let mut clerk = cluster.client();
        cluster.join(&[0]);
        let mut data = Data::put(&cluster, &mut clerk, 10, 5);
        data.check(&mut clerk);

        cluster.join(&[1]);
        data.check_and_append(&mut clerk, 5);
        cluster.leave(&[0]);
        data.check_and_append(&mut clerk, 5);

        sim.sleep(Duration::from_secs(1)); // Time for the shards to move.
        cluster.check_log_size();
        cluster.bring_down(&[0]);
        data.check(&mut clerk);
        cluster.check_history();
    });
}

/// Shards move while servers take snapshots, and all of it survives when everybody goes down.
#[test]
fn snapshot_4b() {
    lab_test("snapshot_4b", |sim| {
        let mut cluster = ShardCluster::start(sim, Some(MAX_RAFT_STATE));
        let mut clerk = cluster.client();
        cluster.join(&[0]);
        let mut data = Data::put(&cluster, &mut clerk, 30, 20);
        data.check(&mut clerk);

        cluster.join(&[1]);
        cluster.join(&[2]);
        cluster.leave(&[0]);
        data.check_and_append(&mut clerk, 20);
        cluster.leave(&[1]);
        cluster.join(&[0]);
        data.check_and_append(&mut clerk, 20);

        sim.sleep(Duration::from_secs(1));
        data.check(&mut clerk);
        sim.sleep(Duration::from_secs(1));
        cluster.check_log_size();

        cluster.bring_down(&[0, 1, 2]);
        cluster.bring_up(&[0, 1, 2]);
        data.check(&mut clerk);
        cluster.check_history();
    });
}

/// Servers that miss configurations catch up, and are as good as the others then.
#[test]
fn miss_change_4b() {
    lab_test("miss_change_4b", |sim| {
        let mut cluster = ShardCluster::start(sim, Some(MAX_RAFT_STATE));
        let mut clerk = cluster.client();
        cluster.join(&[0]);
        let mut data = Data::put(&cluster, &mut clerk, 10, 20);
        data.check(&mut clerk);
        cluster.join(&[1]);

        cluster.bring_one_down(0);
        cluster.join(&[2]);
        cluster.leave(&[1]);
        cluster.leave(&[0]);
        data.check_and_append(&mut clerk, 20);
        cluster.join(&[1]);
        data.check_and_append(&mut clerk, 20);
        cluster.bring_up(&[0, 1, 2]);
        data.check_and_append(&mut clerk, 20);

        sim.sleep(Duration::from_secs(2));
        cluster.bring_one_down(1); // Now those are needed that were down.
        cluster.join(&[0]);
        cluster.leave(&[2]);
        data.check_and_append(&mut clerk, 20);
        cluster.bring_up(&[0, 1, 2]);
        data.check(&mut clerk);
        cluster.check_history();
    });
}
