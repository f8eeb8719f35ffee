use std::time::Duration;

use labrpc::socket::{self, Limits, Options};
use labrpc::{Instant, RpcError, Server, spawn};

use crate::fixture::{Fixture, directory, wait_until};

#[test]
fn an_end_reconnects_after_a_restart() {
    let mut fixture = Fixture::new();
    let end = fixture.end();
    for round in 1..=3_u64 {
        assert_eq!(end.call("Test.Count", &()), Ok(round));
        fixture.stop();
        assert!(!fixture.path().exists(), "a clean shutdown removes the socket's file");
        let error = end.call::<_, u64>("Test.Count", &()).unwrap_err();
        assert!(matches!(error, RpcError::Lost | RpcError::Unreachable), "{error}");
        fixture.start(Limits::default());
    }
    wait_until("calls succeed again", || end.call::<_, u64>("Test.Count", &()).is_ok());
}

#[test]
fn shutdown_lets_calls_in_flight_finish() {
    let mut fixture = Fixture::new();
    let end = fixture.end();
    let caller = spawn(move || end.call::<_, ()>("Test.Nap", &300_u64));
    wait_until("the call is in flight", || fixture.count.load() == 1);
    fixture.stop();
    assert_eq!(caller.join().unwrap(), Ok(()));
}

#[test]
fn shutdown_does_not_wait_for_ever() {
    let limits = Limits { grace: Duration::from_millis(100), ..Limits::default() };
    let mut fixture = Fixture::with_limits(limits);
    let end = fixture.end();
    let caller = spawn(move || end.call::<_, ()>("Test.Nap", &60_000_u64));
    wait_until("the call is in flight", || fixture.count.load() == 1);
    let began = Instant::now();
    fixture.stop();
    assert_eq!(caller.join().unwrap(), Err(RpcError::Lost));
    assert!(began.elapsed() < Duration::from_secs(20), "took {:?}", began.elapsed());
}

#[test]
fn a_socket_in_use_is_not_taken_over() {
    let fixture = Fixture::new();
    let error = socket::listen(&fixture.address(), Server::new()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    fixture.check_alive();
}

/// A socket that is bound but does not listen yet looks as if its owner were dead.
#[test]
fn of_many_that_start_at_once_one_gets_the_socket() {
    for round in 0..100 {
        let directory = directory();
        let address = socket::Address::Unix(directory.path().join("socket"));
        let starters: Vec<_> = (0..4)
            .map(|_| {
                let address = address.clone();
                spawn(move || socket::listen(&address, Server::new()))
            })
            .collect();
        let listeners = starters.into_iter().map(|starter| starter.join().unwrap());
        let listeners: Vec<_> = listeners.collect(); // All of them live until all have started.
        let listening = listeners.iter().filter(|listener| listener.is_ok()).count();
        assert_eq!(listening, 1, "round {round}");
    }
}

#[test]
fn a_file_that_is_no_socket_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("precious");
    std::fs::write(&path, "data").unwrap();
    let address = socket::Address::Unix(path.clone());
    socket::listen(&address, Server::new()).unwrap_err();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "data");
}

/// Clones share a connection; the last one to go closes it.
#[test]
fn a_dropped_end_leaves_no_connection() {
    let limits = Limits { max_connections: 1, ..Limits::default() };
    let fixture = Fixture::with_limits(limits);
    fixture.check_alive();
    wait_until("the one connection is free again", || {
        let end = socket::connect(&fixture.address(), Options::default());
        end.call::<_, String>("Test.Twice", &"x".to_string()).is_ok()
    });
}
