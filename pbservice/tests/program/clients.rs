//! What a client says when the servers that it knows do not serve it.

use labrpc::socket::{self, Address};
use labrpc::{Server, Service};

use crate::processes::{Processes, line, wait_until};

/// A client whose messages a server does not understand says so.
#[test]
fn server_of_another_version() {
    let service = Service::new("Pb").method("Status", |()| ());
    let any = Address::Tcp("127.0.0.1:0".into());
    let listener = socket::listen(&any, Server::new().with(service)).expect("a port is free");
    let Address::Tcp(address) = listener.address() else { panic!("it listens at a port") };
    let servers = Processes::stopped(1);
    let output = servers.client(&["get", "--peers", address, "x"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let expected = format!(
        "pbservice: {address} does not understand this client: it has another version, or is not a \
         server of this service"
    );
    assert_eq!(line(&output), expected);
}

/// A client that knows of backups only is told just that: no majority is missing.
#[test]
fn client_that_knows_no_primary() {
    let servers = Processes::start(3);
    servers.ask(&["put", "x", "1"]);
    let text = "pbservice: no primary among these servers has served this within 1s";
    let may_be_done = "; it may have been done, or may still be";
    for (args, warning) in [
        (&["get", "x"][..], ""),
        (&["put", "x", "2"], may_be_done),
        (&["append", "x", "3"], may_be_done),
    ] {
        let mut output = None;
        // On a machine that is busy with other things the backup may rightly be chosen meanwhile.
        wait_until("no election comes between", || {
            let epoch = servers.highest_epoch();
            let backup = servers.address((servers.primary() + 1) % 3).to_string();
            let options = ["--timeout", "1s", "--peers", &backup];
            output = Some(servers.client(&[&args[..1], &options, &args[1..]].concat()));
            servers.highest_epoch() == epoch
        });
        let output = output.expect("it was waited for");
        assert_eq!(output.status.code(), Some(2), "{args:?}: {output:?}");
        assert_eq!(line(&output), format!("{text}{warning}"));
    }
}

/// The status shows who is down.
#[test]
fn status_of_servers_that_are_down() {
    let mut servers = Processes::start(3);
    servers.primary();
    servers.kill(1);
    let text = servers.ask(&["status"]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    let down = format!("address={} up=false", servers.address(1));
    assert!(lines.contains(&down.as_str()), "{text}");
    servers.kill(0);
    servers.kill(2);
    let output = servers.client(&["status"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(line(&output), "pbservice: no server answers");
}
