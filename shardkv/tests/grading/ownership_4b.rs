//! At most one group serves a shard.

use labrpc::sleep;
use testkit::lab_test;

use crate::cluster::ShardCluster;
use crate::data::{Appenders, Data, Pace, ms};
use crate::ownership_monitor::Monitor;

/// Whatever configurations come, no group serves a shard after another has taken it over.
#[test]
fn one_owner_4b() {
    lab_test("one_owner_4b", |sim| {
        let mut cluster = ShardCluster::start(sim, Some(1_000));
        let mut clerk = cluster.client();
        cluster.join(&[0]);
        let data = Data::put(&cluster, &mut clerk, 10, 5);
        let monitor = Monitor::start(&cluster);
        let appenders = Appenders::start(&cluster, data, 5, Pace::Pause(ms(50)));

        sleep(ms(700));
        cluster.join(&[1, 2]);
        sleep(ms(700));
        cluster.leave(&[0]);
        sleep(ms(700));
        cluster.join(&[0]);
        cluster.leave(&[1]);
        sleep(ms(700));
        cluster.bring_down(&[0]);
        cluster.bring_up(&[0]);
        for shard in 0..5 {
            cluster.move_shard(shard, shard % 2 * 2);
        }
        sleep(ms(1_400));
        cluster.join(&[1]);
        cluster.bring_one_down(2);
        sleep(ms(1_400));

        let data = appenders.stop();
        monitor.finish(&cluster.all_configs());
        data.check(&mut clerk);
        cluster.check_history();
    });
}
