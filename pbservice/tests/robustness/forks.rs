//! Servers that were replaced by an older copy forget promises, and then two logs may have different
//! records under the same version. That is found out, and a server whose invariant is broken ends.

use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

use labrpc::socket::{self, Address, Options};
use pbservice::{Record, Version};
use serde::{Deserialize, Serialize};

use crate::processes::{Processes, line};
use crate::{FAILED, copy_directory};

/// What a server says that must not go on because of another's forgotten promise.
const FORGOTTEN: &str =
    "some server has forgotten a promise: was its directory replaced by an older copy?";

/// One of three servers that have acknowledged a put is replaced by an older copy, and acknowledges
/// another put, in the same epoch, with two that have never heard of the first one. When all five
/// meet, their logs have the same version. Those that differ from the primary end, and say why.
#[test]
fn older_copy_of_a_directory() {
    let mut servers = Processes::start(5);
    servers.ask(&["put", "x", "old"]);
    servers.await_equal_versions();
    (0..5).for_each(|server| servers.kill(server));
    let (directory, copy) = (servers.directory(2), servers.directory(2).with_extension("copy"));
    copy_directory(&directory, &copy);

    let put = |servers: &mut Processes, these: [usize; 3], value: &str| {
        these.into_iter().for_each(|server| servers.restart(server));
        servers.ask(&["put", "x", value]);
        servers.await_equal_versions();
        let epoch = servers.highest_epoch();
        these.into_iter().for_each(|server| servers.kill(server));
        epoch
    };
    let first = put(&mut servers, [0, 1, 2], "first");
    fs::remove_dir_all(&directory).expect("it is there");
    fs::rename(&copy, &directory).expect("it is there");
    // On a machine that is busy with other things an election may have to be repeated. The second
    // put must not be of an earlier epoch than the first.
    while put(&mut servers, [2, 3, 4], "second") < first {}

    (0..5).for_each(|server| servers.restart(server));
    for server in 0..2 {
        let output = servers.await_end(server);
        assert_eq!(output.status.code(), Some(FAILED), "{output:?}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let last = said.lines().last().unwrap_or_default();
        assert!(last.starts_with("pbservice: this server must not go on: "), "{said}");
        assert!(last.contains(FORGOTTEN), "{said}");
    }
    assert_eq!(servers.get("x"), "second");
}

/// A request to copy records, as it travels.
#[derive(Serialize, Deserialize)]
struct Letter {
    version: u32,
    from: SocketAddr,
    list: u32,
    epoch: u64,
    primary: SocketAddr,
    previous: (Version, u32),
    records: Vec<Record>,
    committed: (Version, u32),
}

/// A primary that hears from another one of the same epoch ends, and not only the call in which it
/// does.
#[test]
fn broken_invariant() {
    let mut servers = Processes::start(3);
    servers.ask(&["put", "x", "1"]);
    let primary = servers.primary();
    let (address, other) = (servers.address(primary), servers.address((primary + 1) % 3));
    let mut list: Vec<SocketAddr> = (0..3).map(|server| servers.address(server)).collect();
    list.sort();
    let list: Vec<String> = list.iter().map(ToString::to_string).collect();
    let letter = Letter {
        version: 1,
        from: other,
        list: crc32fast::hash(list.join(",").as_bytes()),
        epoch: servers.highest_epoch(),
        primary: other,
        previous: Default::default(),
        records: Vec::new(),
        committed: Default::default(),
    };
    let options = Options { call_timeout: Duration::from_secs(5), ..Options::default() };
    let end = socket::connect(&Address::Tcp(address.to_string()), options);
    end.call::<_, ()>("Pb.Copy", &letter).expect_err("it does not answer");

    let output = servers.await_end(primary);
    assert_eq!(output.status.code(), Some(FAILED), "{output:?}");
    let said = line(&output);
    let reason = format!("is not the only primary of its epoch, {other} is too");
    assert!(said.starts_with("pbservice: this server must not go on: "), "{said}");
    assert!(said.contains(&reason), "{said}");
    // The others go on without it.
    assert_eq!(servers.get("x"), "1");
}
