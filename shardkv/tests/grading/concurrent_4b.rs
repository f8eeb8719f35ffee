//! Shards move while many clients work.

use std::time::Duration;

use labrpc::sleep;
use testkit::lab_test;

use crate::cluster::ShardCluster;
use crate::data::{Appenders, Data, Pace};

/// So many milliseconds.
const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Configurations change while clients append, while groups are down, and when they are back.
#[test]
fn concurrent1_4b() {
    lab_test("concurrent1_4b", |sim| {
        let mut cluster = ShardCluster::start(sim, Some(100));
        let mut clerk = cluster.client(0);
        cluster.join(&[0]);
        let data = Data::put(&cluster, &mut clerk, 10, 5);
        let appenders = Appenders::start(&cluster, data, 5, Pace::Pause(ms(10)));

        sleep(ms(150));
        cluster.join(&[1]);
        sleep(ms(500));
        cluster.join(&[2]);
        sleep(ms(500));
        cluster.leave(&[0]);
        cluster.bring_down(&[0]);
        sleep(ms(100));
        cluster.bring_down(&[1]);
        sleep(ms(100));
        cluster.bring_down(&[2]);
        cluster.leave(&[2]);
        sleep(ms(100));
        cluster.bring_up(&[0, 1, 2]);
        sleep(ms(100));
        cluster.join(&[0]);
        cluster.leave(&[1]);
        sleep(ms(500));
        cluster.join(&[1]);
        sleep(ms(1_000));

        appenders.stop().check(&mut clerk);
        cluster.check_history();
    });
}
