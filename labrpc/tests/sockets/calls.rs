use std::time::Duration;

use labrpc::socket::{self, Address, Options};
use labrpc::{Instant, RpcError, spawn};

use crate::fixture::{Fixture, directory, keep_log, server};
use crate::itself;

#[test]
fn calls_go_over_unix_sockets() {
    Fixture::new().check_alive();
}

/// macOS names a directory of half a hundred bytes in `TMPDIR`; this one leaves nothing for a name.
#[test]
fn tests_do_not_depend_on_the_length_of_tmpdir() {
    let directory = tempfile::tempdir().unwrap();
    let long = directory.path().join("long".repeat(40));
    std::fs::create_dir(&long).unwrap();
    let tests = ["calls::calls_go_over_unix_sockets", "of_many_that_start_at_once", "processes::"];
    let output = itself::command().args(tests).env("TMPDIR", long).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("3 passed"), "{text}");
}

#[test]
fn calls_go_over_tcp() {
    let address: Address = "127.0.0.1:0".parse().unwrap();
    let listener = socket::listen(&address, server(Default::default())).unwrap();
    assert_ne!(listener.address(), &address, "the system has chosen a port");
    let end = socket::connect(listener.address(), Options::default());
    assert_eq!(end.call("Test.Twice", &"ab".to_string()), Ok("abab".to_string()));
}

#[test]
fn large_messages_arrive_whole() {
    let fixture = Fixture::new();
    let bytes: Vec<u8> = (0..5_000_000_u32).map(|i| (i % 251) as u8).collect();
    assert_eq!(fixture.end().call("Test.Bytes", &bytes), Ok(bytes));
}

/// Fifty calls that sleep take as long as one, so they are under way at once on one connection.
#[test]
fn calls_on_one_connection_overtake_each_other() {
    let fixture = Fixture::new();
    let end = fixture.end();
    let began = Instant::now();
    let sleepers: Vec<_> = (0..50)
        .map(|_| {
            let end = end.clone();
            spawn(move || end.call::<_, ()>("Test.Sleep", &1_000_u64))
        })
        .collect();
    assert_eq!(end.call("Test.Twice", &"x".to_string()), Ok("xx".to_string()));
    for sleeper in sleepers {
        assert_eq!(sleeper.join().unwrap(), Ok(()));
    }
    assert!(began.elapsed() < Duration::from_secs(40), "took {:?}", began.elapsed());
}

#[test]
fn every_caller_gets_its_own_reply() {
    let fixture = Fixture::new();
    let end = fixture.end();
    let callers: Vec<_> = (0..8)
        .map(|caller| {
            let end = end.clone();
            spawn(move || {
                for i in 0..500 {
                    let text = format!("{caller}-{i} ");
                    assert_eq!(end.call("Test.Twice", &text), Ok(text.repeat(2)));
                }
            })
        })
        .collect();
    callers.into_iter().for_each(|caller| caller.join().unwrap());
}

#[test]
fn mistakes_are_told_to_the_caller_and_harm_nobody() {
    let fixture = Fixture::new();
    let end = fixture.end();
    let call = |method| end.call::<_, String>(method, &7_u8);
    assert_eq!(call("Test.Nothing"), Err(RpcError::NoSuchMethod));
    assert_eq!(call("Nothing.Twice"), Err(RpcError::NoSuchMethod));
    assert_eq!(call("Nothing"), Err(RpcError::NoSuchMethod));
    assert_eq!(call("Test.Twice"), Err(RpcError::Unreadable), "arguments of another type");
    let reply = end.call::<_, String>("Test.Sleep", &0_u64);
    assert_eq!(reply, Err(RpcError::Unreadable), "a reply of another type");
    assert_eq!(end.call::<_, ()>("Test.Panic", &()), Err(RpcError::Panicked));
    assert_eq!(end.call("Test.Twice", &"ab".to_string()), Ok("abab".to_string()));
}

/// A text that claims to be 2^62 bytes long must not be allocated.
#[test]
fn a_claimed_length_is_not_believed() {
    let fixture = Fixture::new();
    let huge = [253, 0, 0, 0, 0, 0, 0, 0, 64_u8];
    let reply = fixture.end().call::<_, String>("Test.Twice", &huge);
    assert_eq!(reply, Err(RpcError::Unreadable));
    fixture.check_alive();
}

#[test]
fn a_server_that_is_not_there_is_unreachable() {
    let directory = directory();
    let address = Address::Unix(directory.path().join("nobody"));
    let end = socket::connect(&address, Options::default());
    assert_eq!(end.call::<_, ()>("Test.Sleep", &0_u64), Err(RpcError::Unreachable));
}

#[test]
fn sockets_are_refused_in_virtual_time() {
    keep_log(); // Before the simulation installs its own logger.
    let fixture = Fixture::new();
    let end = fixture.end();
    let caught = std::panic::catch_unwind(|| {
        labrpc::run(move || end.call::<_, ()>("Test.Sleep", &0_u64).expect("never gets there"))
    });
    assert!(caught.is_err());
}
