//! The seed's own test cases: put and get, with a dead primary, and in a slow network.

use testkit::{LabTest, lab_test};
use labrpc::Instant;

use crate::cluster::{FAILOVER, PbCluster};

/// Puts, overwrites, gets; a missing key is none, and an empty value is not missing.
#[test]
fn put_get_tc01() {
    lab_test("put_get_tc01", |sim| {
        let cluster = PbCluster::start(sim);
        let mut clerk = cluster.client(0);
        clerk.put("x", "1");
        clerk.put("y", "2");
        clerk.put("x", "3");
        clerk.append("y", "4");
        cluster.check_value(&mut clerk, "x", "3");
        cluster.check_value(&mut clerk, "y", "24");
        cluster.await_equal_logs();
        cluster.history().check();
    });
}

/// The primary dies, and the next one too.
#[test]
fn put_get_when_primary_is_dead_tc02() {
    let test = LabTest::new("put_get_when_primary_is_dead_tc02").simulation_only();
    test.run(|sim| {
        let cluster = PbCluster::start(sim);
        let mut clerk = cluster.client(0);
        clerk.put("x", "0");
        for round in 0..2 {
            let primary = cluster.primary();
            cluster.crash(primary);
            let began = Instant::now();
            clerk.append("x", "1");
            if began.elapsed() > FAILOVER {
                cluster.fail("x", format!("{round}: {:?}", began.elapsed()));
            }
            log::info!(target: "TIME", "service is back after {:?}", began.elapsed());
        }
        cluster.check_value(&mut clerk, "x", "011");
        cluster.history().check();
    });
}
