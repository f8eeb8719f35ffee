//! What was acknowledged survives the death of all servers.

use testkit::LabTest;

use crate::cluster::PbCluster;
use crate::workload::append_all;

/// All five servers die at once and return, twice: every put that was acknowledged is there.
#[test]
fn restart_all() {
    const CLIENTS: u64 = 5;
    const ITEMS: u64 = 10;
    let test = LabTest::new("restart_all").simulation_only();
    test.run(|sim| {
        let cluster = PbCluster::start_with(sim, 30);
        let mut clerk = cluster.client(CLIENTS);
        for round in ["first", "second"] {
            append_all(&cluster, round, CLIENTS, ITEMS);
            cluster.bring_all_down();
            cluster.connect_all();
            for key in ["first", round] {
                let counts: Vec<(u64, u64)> = (0..CLIENTS).map(|client| (client, ITEMS)).collect();
                cluster.check_appends(&clerk.get(key), &counts);
            }
        }
        cluster.await_equal_logs();
        cluster.history().check();
    });
}
