//! Callers that take what they can get: connections, handlers, memory, the log.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use labrpc::socket::Limits;
use labrpc::{RpcError, sleep, spawn};

use crate::fixture::{Fixture, keep_log, lines, wait_for_line, wait_until};

/// The bytes of a request.
fn request(method: &str, args: &[u8]) -> Vec<u8> {
    let body = [&(method.len() as u16).to_le_bytes()[..], method.as_bytes(), args].concat();
    let length = (body.len() as u32).to_le_bytes();
    [b"LRPC", &length[..], &[1], &[0; 8], &body].concat()
}

/// A connection on which nothing is sent.
fn idle(fixture: &Fixture) -> UnixStream {
    UnixStream::connect(fixture.path()).expect("it listens")
}

/// Idle connections make room for others, and those that are used are kept.
#[test]
fn idle_connections_shut_nobody_out() {
    keep_log();
    let fixture = Fixture::with_limits(Limits { max_connections: 8, ..Limits::default() });
    let peer = fixture.end();
    let mut calls = 0_u64;
    let mut call = || {
        calls += 1;
        assert_eq!(peer.call("Test.Count", &()), Ok(calls), "the connection in use was closed");
    };
    call();
    let mut connections = Vec::new();
    for _ in 0..100 {
        connections.push(idle(&fixture));
        if connections.len() % 3 == 0 {
            call();
        }
    }
    fixture.check_alive();
    call();
    let first = &mut connections[0];
    first.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    assert_eq!(first.read(&mut [0]).unwrap(), 0, "the longest idle was closed");
    let said = lines("it was idle, and there are too many");
    assert!((1..10).contains(&said.len()), "a line for each: {said:?}");
}

/// Connections on which a call was answered are kept, also if they are idle for a while, when very
/// many come on which nothing is called.
#[test]
fn places_are_kept_for_those_that_have_called() {
    let fixture = Fixture::with_limits(Limits { max_connections: 8, ..Limits::default() });
    let peers = [fixture.end(), fixture.end()];
    for (peer, count) in peers.iter().zip(1_u64..) {
        assert_eq!(peer.call("Test.Count", &()), Ok(count));
    }
    let _connections: Vec<_> = (0..100).map(|_| idle(&fixture)).collect();
    fixture.check_alive();
    for peer in peers {
        peer.call::<_, u64>("Test.Count", &()).unwrap();
    }
}

#[test]
fn connections_with_a_call_in_flight_are_not_closed() {
    let fixture = Fixture::with_limits(Limits { max_connections: 2, ..Limits::default() });
    let end = fixture.end();
    let caller = spawn(move || end.call::<_, ()>("Test.Nap", &2_000_u64));
    wait_until("the call is in flight", || fixture.count.load() == 1);
    let _connections: Vec<_> = (0..50).map(|_| idle(&fixture)).collect();
    fixture.check_alive();
    assert_eq!(caller.join().unwrap(), Ok(()));
}

/// Where each connection has a call in flight there is no place for another, and it is told so.
#[test]
fn there_are_no_more_connections_than_are_allowed() {
    let fixture = Fixture::with_limits(Limits { max_connections: 1, ..Limits::default() });
    let end = fixture.end();
    let caller = spawn(move || end.call::<_, ()>("Test.Nap", &1_000_u64));
    wait_until("the call is in flight", || fixture.count.load() == 1);
    assert_eq!(fixture.end().call::<_, u64>("Test.Count", &()), Err(RpcError::Lost));
    assert_eq!(caller.join().unwrap(), Ok(()));
    fixture.check_alive();
}

/// A caller with very many calls cannot take the handlers of others.
#[test]
fn handlers_are_limited_and_each_connection_has_one() {
    let fixture = Fixture::with_limits(Limits { max_handlers: 3, ..Limits::default() });
    let greedy = fixture.end();
    let _callers: Vec<_> = (0..50)
        .map(|_| {
            let greedy = greedy.clone();
            spawn(move || greedy.call::<_, ()>("Test.Nap", &5_000_u64))
        })
        .collect();
    wait_until("handlers are at work", || fixture.count.load() == 4);
    for _ in 0..10 {
        fixture.check_alive();
    }
    sleep(Duration::from_millis(200));
    assert!(fixture.count.load() <= 8, "{} handlers at once", fixture.count.load());
}

/// No further call is read while replies wait to be sent.
#[test]
fn replies_that_are_not_read_hold_up_the_next_call() {
    let fixture = Fixture::with_limits(Limits { max_unsent: 1000, ..Limits::default() });
    let mut deaf = idle(&fixture);
    let megabytes = 4_u32 << 20;
    deaf.write_all(&request("Test.Zeros", &[&[252][..], &megabytes.to_le_bytes()].concat()))
        .unwrap();
    deaf.read_exact(&mut [0]).unwrap();
    deaf.write_all(&request("Test.Count", &[])).unwrap();
    sleep(Duration::from_millis(300));
    assert_eq!(fixture.count.load(), 0, "the call was read");
    let mut reply = vec![0; 17 - 1 + 5 + megabytes as usize];
    deaf.read_exact(&mut reply).unwrap();
    wait_until("the call is read", || fixture.count.load() == 1);
}

/// What a caller sends reaches the log escaped, cut, and not again and again.
#[test]
fn names_from_the_wire_are_escaped_and_cut() {
    keep_log();
    let fixture = Fixture::new();
    let name = format!("\x1b[2Jmischief\n{}", "x".repeat(60_000));
    for _ in 0..100 {
        assert_eq!(fixture.end().call::<_, ()>(&name, &()), Err(RpcError::NoSuchMethod));
    }
    wait_for_line("there is no method '\\u{1b}[2Jmischief\\nxxx");
    let said = lines("mischief");
    assert!(said.len() < 10, "{} lines", said.len());
    assert!(said.iter().all(|line| line.len() < 300 && !line.contains('\x1b')), "{said:?}");
}
