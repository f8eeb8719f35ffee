use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use crate::fixture::{Fixture, keep_log, wait_for_line};

/// A valid request for `Test.Twice`.
fn request() -> Vec<u8> {
    let body = [&10_u16.to_le_bytes()[..], b"Test.Twice", b"\x02ab"].concat();
    let length = (body.len() as u32).to_le_bytes();
    [b"LRPC", &length[..], &[1], &[5, 0, 0, 0, 0, 0, 0, 0], &body].concat()
}

#[test]
fn a_hand_made_request_is_answered() {
    let fixture = Fixture::new();
    let mut stream = UnixStream::connect(fixture.path()).unwrap();
    stream.write_all(&request()).unwrap();
    let mut reply = [0; 22];
    stream.read_exact(&mut reply).unwrap();
    assert_eq!(&reply, b"LRPC\x05\0\0\0\x02\x05\0\0\0\0\0\0\0\x04abab");
}

#[test]
fn foreign_and_truncated_bytes_close_their_connection_with_a_reason() {
    keep_log();
    let fixture = Fixture::new();
    let kept = fixture.end();
    assert_eq!(kept.call("Test.Count", &()), Ok(1_u64));
    let request = request();
    for (bytes, reason) in [
        (&b"GET / HTTP/1.1\r\n\r\n"[..], "bytes of another protocol"),
        (&request[..20], "it ended within a message"),
        (&b"LRPC\0\0\0\0\x09\0\0\0\0\0\0\0\0"[..], "a message of unknown kind 9"),
        (&b"LRPC\0\0\0\0\x02\0\0\0\0\0\0\0\0"[..], "it sent a reply"),
        (&b"LRPC\x01\0\0\0\x01\0\0\0\0\0\0\0\0\0"[..], "without a readable method name"),
    ] {
        let mut stream = UnixStream::connect(fixture.path()).unwrap();
        stream.write_all(bytes).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        assert_eq!(stream.read(&mut [0]).unwrap_or(0), 0, "{reason}: the connection is closed");
        wait_for_line(reason);
    }
    assert_eq!(kept.call("Test.Count", &()), Ok(2_u64), "other connections are not disturbed");
}

/// Random and mutated frames at a live server, a hundred to a connection or until it is closed.
#[test]
fn ten_thousand_hostile_frames_do_no_harm() {
    let fixture = Fixture::new();
    let kept = fixture.end();
    let mut rng = Pcg64::seed_from_u64(2);
    let mut connection: Option<UnixStream> = None;
    for round in 0..10_000_u32 {
        if round % 100 == 0 {
            connection = None;
        }
        let stream = connection.get_or_insert_with(|| {
            let stream = UnixStream::connect(fixture.path()).unwrap();
            stream.set_write_timeout(Some(Duration::from_secs(10))).unwrap();
            stream
        });
        let mut bytes = request();
        if rng.random_range(0..4_u32) == 0 {
            bytes = (0..rng.random_range(0..64_u32)).map(|_| rng.random()).collect();
        }
        for _ in 0..rng.random_range(0..3_u32) {
            let place = rng.random_range(0..bytes.len() as u32 + 1) as usize;
            match rng.random_range(0..3_u32) {
                0 => bytes.insert(place, rng.random()),
                1 => bytes.truncate(place),
                _ => {
                    bytes.iter_mut().skip(place).take(1).for_each(|byte| *byte ^= 1 << (round % 8))
                }
            }
        }
        if stream.write_all(&bytes).is_err() {
            connection = None; // The server has closed it, as it should.
        }
    }
    assert_eq!(kept.call("Test.Count", &()), Ok(1_u64));
    fixture.check_alive();
}
