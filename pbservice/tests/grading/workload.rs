//! Clients at work.

use labrpc::{JoinHandle, spawn};
use testkit::item;

use crate::cluster::PbCluster;

/// Lets so many clients append so many items each to one key, and waits until they have.
pub fn append_all(cluster: &PbCluster, key: &str, clients: u64, items: u64) {
    let start = |client: u64| {
        let (mut clerk, key) = (cluster.client(client), key.to_string());
        spawn(move || (0..items).for_each(|number| clerk.append(&key, &item(client, number))))
    };
    let clients: Vec<JoinHandle<()>> = (0..clients).map(start).collect();
    clients.into_iter().for_each(|client| client.join().expect("nobody crashes the test"));
}
