use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use super::*;

/// Frames of every kind.
fn frames() -> Vec<Frame> {
    let request =
        |method: &str, args: &[u8]| Body::Request { method: method.into(), args: args.into() };
    let bodies = [
        request("A.B", b""),
        request("", b"x"),
        request("Coordinator.Ask", &[7; 300]),
        Body::Reply(Ok(vec![])),
        Body::Reply(Ok(vec![1, 2, 3])),
        Body::Reply(Err(RpcError::Panicked)),
        Body::Reply(Err(RpcError::NoSuchMethod)),
    ];
    bodies.into_iter().zip(1_u64 << 40..).map(|(body, call)| Frame { call, body }).collect()
}

#[test]
fn every_frame_is_read_back() {
    for frame in frames() {
        let mut bytes = frame.clone().into_bytes();
        let length = bytes.len();
        bytes.extend_from_slice(b"LRPC and more");
        assert_eq!(Frame::decode(&bytes, 1000), Ok(Some((frame, length))));
    }
}

#[test]
fn a_frame_that_has_not_arrived_in_full_is_waited_for() {
    for frame in frames() {
        let bytes = frame.clone().into_bytes();
        for length in 0..bytes.len() {
            assert_eq!(Frame::decode(&bytes[..length], 1000), Ok(None), "{frame:?}, {length}");
        }
    }
}

#[test]
fn what_is_no_frame_is_refused_as_early_as_possible() {
    let header = |length: u32, kind: u8| {
        let mut bytes = b"LRPC".to_vec();
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.push(kind);
        bytes.extend_from_slice(&[0; 8]);
        bytes
    };
    let with = |mut bytes: Vec<u8>, body: &[u8]| {
        bytes.extend_from_slice(body);
        bytes
    };
    for (name, bytes, error) in [
        ("another protocol", b"GET / HTTP/1.1".to_vec(), FrameError::Foreign),
        ("one byte of it", b"G".to_vec(), FrameError::Foreign),
        ("too long", header(11, 1), FrameError::TooLong { length: 11, max: 10 }),
        ("kind 0", header(1, 0), FrameError::UnknownKind(0)),
        ("no name", with(header(1, 1), &[0]), FrameError::BadMethod),
        ("name cut off", with(header(3, 1), &[2, 0, b'A']), FrameError::BadMethod),
        ("name no text", with(header(3, 1), &[1, 0, 0xff]), FrameError::BadMethod),
        ("no code", header(0, 3), FrameError::BadCode),
        ("unknown code", with(header(1, 3), &[99]), FrameError::BadCode),
    ] {
        assert_eq!(Frame::decode(&bytes, 10), Err(error), "{name}");
    }
}

/// The decoder neither panics nor reads past the end, whatever it is given, and what it accepts is
/// what it would have written.
#[test]
fn a_million_random_and_mutated_frames_do_no_harm() {
    let mut rng = Pcg64::seed_from_u64(1);
    let valid: Vec<Vec<u8>> = frames().into_iter().map(Frame::into_bytes).collect();
    let mut accepted = 0;
    for round in 0..1_000_000_u32 {
        let mut bytes = if round % 4 == 0 {
            (0..rng.random_range(0..64_u32)).map(|_| rng.random()).collect()
        } else {
            valid[rng.random_range(0..valid.len() as u32) as usize].clone()
        };
        for _ in 0..rng.random_range(0..4_u32) {
            mutate(&mut bytes, &mut rng);
        }
        if let Ok(Some((frame, length))) = Frame::decode(&bytes, 400) {
            assert_eq!(frame.into_bytes(), bytes[..length]);
            accepted += 1;
        }
    }
    assert!((100_000..900_000).contains(&accepted), "{accepted} were accepted: a dull test");
}

/// Flips, inserts, removes, or cuts off bytes.
fn mutate(bytes: &mut Vec<u8>, rng: &mut Pcg64) {
    let place = rng.random_range(0..bytes.len() as u32 + 1) as usize;
    match rng.random_range(0..4_u32) {
        0 if place < bytes.len() => bytes[place] ^= 1 << rng.random_range(0..8_u32),
        1 => bytes.insert(place, rng.random()),
        2 if place < bytes.len() => drop(bytes.remove(place)),
        _ => bytes.truncate(place),
    }
}
