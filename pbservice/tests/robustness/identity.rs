//! A server knows what it is, from its directory: its address, the list of all servers, and whether
//! it may count.

use std::fs;

use crate::processes::{Processes, line, wait_until};
use crate::{TIMED_OUT, USAGE, files};

/// Empties the directory of a server that is down.
fn empty(servers: &Processes, server: usize) {
    fs::remove_dir_all(servers.directory(server)).expect("it is there");
    fs::create_dir(servers.directory(server)).expect("the directory is ours");
}

/// Starts a server as one that has never run before.
fn start_new(servers: &mut Processes, server: usize) {
    let child = servers.server_command(server).arg("--new").spawn().expect("the program was built");
    servers.adopt(server, child);
}

/// The version that a server tells.
fn version(servers: &Processes, server: usize) -> Option<String> {
    let address = servers.address(server);
    servers.status().into_iter().find(|line| line.address == address).map(|line| line.version)
}

/// Nobody serves a get, and so nobody answers it with an old value.
fn check_no_service(servers: &Processes) {
    let output = servers.client(&["get", "--timeout", "4s", "x"]);
    assert_eq!(output.status.code(), Some(TIMED_OUT), "{output:?}: {:?}", servers.status());
}

/// Three of five have acknowledged a put. One of them returns with an empty directory, and two that
/// have never heard of the put: these three are no majority. With a fourth server they are served,
/// and the emptied one is repaired, and counts.
#[test]
fn emptied_directory() {
    let mut servers = Processes::start(5);
    servers.ask(&["put", "x", "old"]);
    servers.await_equal_versions();
    (3..5).for_each(|server| servers.kill(server));
    servers.ask(&["put", "x", "new"]);
    servers.await_equal_versions();
    (0..3).for_each(|server| servers.kill(server));
    empty(&servers, 2);
    (2..5).for_each(|server| servers.restart(server));
    wait_until("the emptied server is up", || version(&servers, 2).is_some());
    check_no_service(&servers);
    assert_eq!(version(&servers, 2).as_deref(), Some("damaged"));

    servers.restart(0);
    assert_eq!(servers.get("x"), "new");
    servers.await_equal_versions();
    servers.kill(0);
    assert_eq!(servers.get("x"), "new", "the repaired server counts");
}

/// It makes no difference if the server is killed and started again before it is repaired.
#[test]
fn emptied_directory_and_restarts() {
    let mut servers = Processes::start(3);
    servers.ask(&["put", "x", "1"]);
    servers.await_equal_versions();
    (0..3).for_each(|server| servers.kill(server));
    empty(&servers, 0);
    for _ in 0..2 {
        servers.restart(0);
        wait_until("the emptied server is up", || version(&servers, 0).is_some());
        servers.kill(0);
    }
    servers.restart(0);
    servers.restart(1);
    check_no_service(&servers);
    servers.restart(2);
    assert_eq!(servers.get("x"), "1");
    servers.await_equal_versions();
}

/// Where all servers are new, they find that out; as long as one of them is silent, none counts, and
/// they say which one that is.
#[test]
fn all_servers_are_new() {
    let mut servers = Processes::stopped(3);
    let said = servers.directory(0).with_extension("said");
    let file = fs::File::create(&said).expect("the directory is ours");
    let child = servers.server_command(0).stderr(file).spawn().expect("the program was built");
    servers.adopt(0, child);
    servers.restart(1);
    check_no_service(&servers);
    let (me, silent) = (servers.address(0), servers.address(2));
    let expected = format!(
        "pbservice: {me}@0 had an empty directory, and does not count until {silent} say that they \
         are new too\n"
    );
    wait_until("the server has said so", || {
        fs::read_to_string(&said).is_ok_and(|said| said == expected)
    });
    servers.restart(2);
    servers.ask(&["put", "x", "1"]);
    assert_eq!(servers.get("x"), "1");
}

/// Servers that are said to be new serve without the others, which are repaired when they come.
#[test]
fn servers_that_are_said_to_be_new() {
    let mut servers = Processes::stopped(5);
    (0..3).for_each(|server| start_new(&mut servers, server));
    servers.ask(&["put", "x", "1"]);
    (3..5).for_each(|server| servers.restart(server));
    servers.await_equal_versions();
    (0..2).for_each(|server| servers.kill(server));
    assert_eq!(servers.get("x"), "1");
}

/// A server that has run before is not new.
#[test]
fn new_server_in_a_used_directory() {
    let mut servers = Processes::start(1);
    servers.ask(&["put", "x", "1"]);
    servers.kill(0);
    let before = files(&servers, 0);
    start_new(&mut servers, 0);
    let output = servers.await_end(0);
    assert_eq!(output.status.code(), Some(USAGE), "{output:?}");
    let problem = "a new server needs an empty directory, and there is a file \"promise\"";
    let directory = servers.directory(0).display().to_string();
    assert_eq!(line(&output), format!("pbservice: {directory}: {problem}"));
    assert_eq!(files(&servers, 0), before);
}

/// The list of servers is remembered. With a shorter one, two that have never heard of a put would
/// be a majority.
#[test]
fn other_list_of_servers() {
    let mut servers = Processes::start(5);
    servers.ask(&["put", "x", "old"]);
    servers.await_equal_versions();
    (0..5).for_each(|server| servers.kill(server));
    let all: Vec<String> = (0..5).map(|server| servers.address(server).to_string()).collect();
    let list = |servers: &[String]| {
        let mut list: Vec<std::net::SocketAddr> =
            servers.iter().map(|server| server.parse().expect("it is an address")).collect();
        list.sort();
        list.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
    };
    for server in [3, 4] {
        let before = files(&servers, server);
        let child = servers.server_with_peers(server, &list(&all[2..])).spawn();
        servers.adopt(server, child.expect("the program was built"));
        let output = servers.await_end(server);
        assert_eq!(output.status.code(), Some(USAGE), "{output:?}");
        let directory = servers.directory(server).display().to_string();
        let (known, given) = (list(&all), list(&all[2..]));
        let expected = format!(
            "pbservice: {directory}: the file \"promise\" says that the servers are {known}, not \
             {given}: the list of servers must not change"
        );
        assert_eq!(line(&output), expected);
        assert_eq!(files(&servers, server), before);
    }
    (0..5).for_each(|server| servers.restart(server));
    assert_eq!(servers.get("x"), "old");
}

/// A server that is new, and was started with another list than the others, says so itself, though
/// it is not in theirs and they never call it.
#[test]
fn odd_list_of_servers() {
    let mut servers = Processes::stopped(4);
    let three: Vec<String> = (0..3).map(|server| servers.address(server).to_string()).collect();
    for server in 0..3 {
        let child = servers.server_with_peers(server, &three.join(",")).spawn();
        servers.adopt(server, child.expect("the program was built"));
    }
    servers.primary();
    let said = servers.directory(3).with_extension("said");
    let file = fs::File::create(&said).expect("the directory is ours");
    let child = servers.server_command(3).stderr(file).spawn().expect("the program was built");
    servers.adopt(3, child);
    let (me, other) = (servers.address(3), servers.address(0));
    let expected =
        format!("pbservice: {me} is ignored by {other}, which has another list of servers\n");
    wait_until("the server has said so", || {
        fs::read_to_string(&said).is_ok_and(|said| said.contains(&expected))
    });
}
