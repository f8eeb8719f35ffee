use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::Duration;

use labrpc::socket::{self, Address, Limits, Options};
use labrpc::{Instant, RpcError, sleep, spawn};

use crate::fixture::{Fixture, keep_log, wait_for_line, wait_until};

/// How long a message may be under way where that is limited: longer than a busy machine lets a
/// server wait in the middle of a message that has arrived.
const MESSAGE_TIME: Duration = Duration::from_secs(1);

#[test]
fn a_slow_reply_times_out_and_disturbs_nobody() {
    let fixture = Fixture::new();
    let end = fixture.hasty_end(Duration::from_secs(2));
    assert_eq!(end.call("Test.Twice", &"a".to_string()), Ok("aa".to_string()));
    let began = Instant::now();
    assert_eq!(end.call::<_, ()>("Test.Sleep", &60_000_u64), Err(RpcError::TimedOut));
    assert!(began.elapsed() < Duration::from_secs(20), "took {:?}", began.elapsed());
    assert_eq!(end.call("Test.Twice", &"b".to_string()), Ok("bb".to_string()));
}

#[test]
fn what_is_too_large_is_told_to_the_caller() {
    let small = Limits { max_message: 1000, ..Limits::default() };
    let fixture = Fixture::with_limits(small);
    let end = socket::connect(&fixture.address(), Options { limits: small, ..Options::default() });
    let call = |length: usize| end.call::<_, Vec<u8>>("Test.Bytes", &vec![1_u8; length]);
    assert_eq!(call(900).map(|bytes| bytes.len()), Ok(900));
    assert_eq!(call(1100), Err(RpcError::TooLarge), "arguments");
    let reply = end.call::<_, Vec<u8>>("Test.Zeros", &1100_u32);
    assert_eq!(reply, Err(RpcError::TooLarge), "reply");
    assert_eq!(call(900).map(|bytes| bytes.len()), Ok(900));
}

/// A caller that ignores the server's limit loses its connection, without having been believed.
#[test]
fn an_oversized_message_closes_its_connection() {
    keep_log();
    let fixture = Fixture::with_limits(Limits { max_message: 1000, ..Limits::default() });
    let reply = fixture.end().call::<_, Vec<u8>>("Test.Bytes", &vec![1_u8; 100_000]);
    assert_eq!(reply, Err(RpcError::Lost));
    wait_for_line("a message of 1000");
    fixture.check_alive();
}

/// Slow loris: a message that dribbles in holds its connection for a limited time only.
#[test]
fn a_message_that_dribbles_in_closes_its_connection() {
    keep_log();
    let limits = Limits { message_time: MESSAGE_TIME, ..Limits::default() };
    let fixture = Fixture::with_limits(limits);
    let mut dribbling = UnixStream::connect(fixture.path()).unwrap();
    let mut idle = UnixStream::connect(fixture.path()).unwrap();
    let began = Instant::now();
    for byte in b"LRPC\xff\0\0\0\x01\0\0\0\0\0\0\0\0".iter().chain(&[0; 200]) {
        sleep(Duration::from_millis(50));
        if dribbling.write_all(&[*byte]).is_err() {
            break;
        }
    }
    assert!(began.elapsed() < Duration::from_secs(8), "took {:?}", began.elapsed());
    wait_for_line("a message took too long to arrive");
    // A connection on which nothing was begun may idle.
    idle.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
    assert!(idle.read(&mut [0]).is_err(), "the idle connection was closed");
}

/// At its limit a caller is told, though neither the handler nor the connection is disturbed.
#[test]
fn a_wait_ends_at_its_limit_and_the_call_goes_on() {
    let fixture = Fixture::new();
    let end = fixture.end();
    let limit = Duration::from_millis(50);
    let late = end.call_within::<_, ()>(limit, "Test.Nap", &10_000_u64);
    assert_eq!(late, Err(RpcError::DeadlineExceeded));
    wait_until("the handler runs", || fixture.count.load() == 1);
    let minute = Duration::from_secs(60);
    assert_eq!(end.call_within(minute, "Test.Twice", &"a".to_string()), Ok("aa".to_string()));
    assert_eq!(end.call_within(minute, "Test.Nothing", &()), Err::<(), _>(RpcError::NoSuchMethod));
    assert_eq!(end.call("Test.Twice", &"b".to_string()), Ok("bb".to_string()));
    assert_eq!(fixture.count.load(), 1);
}

/// Also a caller that cannot even send waits no longer than it said.
#[test]
fn a_limit_holds_while_a_request_is_sent() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    let _deaf = UnixListener::bind(&path).unwrap();
    let limits = Limits { message_time: Duration::from_secs(600), ..Limits::default() };
    let end = socket::connect(&Address::Unix(path), Options { limits, ..Options::default() });
    let began = Instant::now();
    let megabytes = vec![1_u8; 8 << 20];
    let reply = end.call_within::<_, Vec<u8>>(Duration::from_millis(50), "Test.Bytes", &megabytes);
    assert_eq!(reply, Err(RpcError::DeadlineExceeded));
    assert!(began.elapsed() < Duration::from_secs(300), "took {:?}", began.elapsed());
}

#[test]
fn failure_before_the_limit_is_the_failure_of_any_call() {
    let mut fixture = Fixture::new();
    let end = fixture.end();
    fixture.stop();
    let reply = end.call_within::<_, ()>(Duration::from_secs(60), "Test.Sleep", &0_u64);
    assert_eq!(reply, Err(RpcError::Unreachable));
    fixture.start(Limits::default());
    let end = fixture.hasty_end(Duration::from_millis(50));
    let reply = end.call_within::<_, ()>(Duration::from_secs(60), "Test.Sleep", &60_000_u64);
    assert_eq!(reply, Err(RpcError::TimedOut));
}

/// A caller that reads no replies blocks itself only.
#[test]
fn a_caller_that_does_not_read_is_dropped() {
    let limits = Limits { message_time: MESSAGE_TIME, max_calls: 2, ..Limits::default() };
    let fixture = Fixture::with_limits(limits);
    let mut deaf = UnixStream::connect(fixture.path()).unwrap();
    let mut frame = b"LRPC".to_vec();
    let body = [&10_u16.to_le_bytes()[..], b"Test.Zeros", &[252, 0, 0, 64, 0]].concat();
    frame.extend_from_slice(&(body.len() as u32).to_le_bytes());
    frame.push(1);
    frame.extend_from_slice(&[0; 8]);
    frame.extend_from_slice(&body);
    deaf.set_write_timeout(Some(Duration::from_secs(10))).unwrap();
    wait_until("the connection is closed", || deaf.write_all(&frame).is_err());
    fixture.check_alive();
}

#[test]
fn calls_beyond_the_limit_wait_their_turn() {
    let fixture = Fixture::with_limits(Limits { max_calls: 2, ..Limits::default() });
    let end = fixture.end();
    let began = Instant::now();
    let callers: Vec<_> = (0..6)
        .map(|_| {
            let end = end.clone();
            spawn(move || end.call::<_, ()>("Test.Sleep", &100_u64))
        })
        .collect();
    callers.into_iter().for_each(|caller| assert_eq!(caller.join().unwrap(), Ok(())));
    assert!(began.elapsed() >= Duration::from_millis(300), "took {:?}", began.elapsed());
}
