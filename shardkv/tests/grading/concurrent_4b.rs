//! Shards move while many clients work.

use std::time::Duration;

use labrpc::{Instant, rng, sleep};
use rand::RngExt as _;
use testkit::lab_test;

use crate::cluster::ShardCluster;
use crate::data::{Appenders, Data, Pace, ms};

/// For how long configurations change in the third test.
const CHANGES: Duration = Duration::from_secs(12);

/// Configurations change while clients append, while groups are down, and when they are back.
#[test]
fn concurrent1_4b() {
    lab_test("concurrent1_4b", |sim| {
        let mut cluster = ShardCluster::start(sim, Some(100));
        let mut clerk = cluster.client();
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

/// Many configurations, one right after the other. Without snapshots, groups that went down go
/// through all of them again, though the shards are elsewhere by then.
#[test]
fn concurrent2_4b() {
    lab_test("concurrent2_4b", |sim| {
        let mut cluster = ShardCluster::start(sim, None);
        let mut clerk = cluster.client();
        cluster.join(&[1]);
        cluster.join(&[0]);
        cluster.join(&[2]);
        let data = Data::put(&cluster, &mut clerk, 10, 1);
        let appenders = Appenders::start(&cluster, data, 1, Pace::Pause(ms(50)));

        cluster.leave(&[0]);
        cluster.leave(&[2]);
        sleep(ms(3_000));
        cluster.join(&[0]);
        cluster.join(&[2]);
        cluster.leave(&[1]);
        sleep(ms(3_000));
        cluster.join(&[1]);
        cluster.leave(&[0]);
        cluster.leave(&[2]);
        sleep(ms(3_000));
        cluster.bring_down(&[1, 2]);
        sleep(ms(1_000));
        cluster.bring_up(&[1, 2]);
        sleep(ms(2_000));

        appenders.stop().check(&mut clerk);
        cluster.check_history();
    });
}

/// All groups go down again and again while configurations change.
#[test]
fn concurrent3_4b() {
    lab_test("concurrent3_4b", |sim| {
        let mut cluster = ShardCluster::start(sim, Some(300));
        let mut clerk = cluster.client();
        cluster.join(&[0]);
        let data = Data::put(&cluster, &mut clerk, 10, 1);
        let appenders = Appenders::start(&cluster, data, 1, Pace::Bursts);

        let began = Instant::now();
        while began.elapsed() < CHANGES {
            cluster.join(&[2]);
            cluster.join(&[1]);
            sleep(ms(rng().random_range(0..900)));
            cluster.bring_down(&[0, 1, 2]);
            cluster.bring_up(&[0, 1, 2]);
            sleep(ms(rng().random_range(0..900)));
            cluster.leave(&[1]);
            cluster.leave(&[2]);
            sleep(ms(rng().random_range(0..900)));
        }
        sleep(ms(2_000));

        appenders.stop().check(&mut clerk);
        cluster.check_history();
    });
}
