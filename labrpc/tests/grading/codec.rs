//! What the course's `labgob` tests ask of its codec, asked of ours.

use std::collections::BTreeMap;

use labrpc::{decode, encode};
use serde::{Deserialize, Serialize};

/// Fields of every kind, some of them zero.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct T1 {
    zero: i64,
    one: i64,
    empty: String,
    text: String,
}

/// Containers of such structs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct T2 {
    list: Vec<T1>,
    map: BTreeMap<i64, Box<T1>>,
    any: Command,
}

/// What an interface value is in Go.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Command {
    Nothing,
    Number(i64),
    Pair { key: String, value: Option<u64> },
}

/// `TestGOB`: everything comes back as it was, nested containers and enums included.
#[test]
fn nested_values_survive() {
    let t1 = T1 { zero: 0, one: 1, empty: String::new(), text: "6.5840".to_string() };
    let map = [(99, Box::new(T1 { zero: 77, ..t1.clone() }))].into();
    let t2 = T2 { list: vec![T1::default(), t1.clone()], map, any: Command::Number(999) };
    let value = (0_i64, 1_i64, t1, t2);
    assert_eq!(decode(&encode(&value)), Ok(value));
    for command in [Command::Nothing, Command::Pair { key: "k".to_string(), value: None }] {
        assert_eq!(decode(&encode(&command)), Ok(command));
    }
}

/// `TestCapital`: no field is left out silently, whatever its name.
#[test]
fn every_field_is_encoded() {
    let base = T1::default();
    let all = [
        T1 { zero: 1, ..base.clone() },
        T1 { one: 1, ..base.clone() },
        T1 { empty: "x".to_string(), ..base.clone() },
        T1 { text: "x".to_string(), ..base.clone() },
    ];
    all.iter().for_each(|changed| assert_ne!(encode(changed), encode(&base), "{changed:?}"));
    assert_eq!(decode(&encode(&all)), Ok(all));
}

/// `TestDefault`: a decoded zero is a zero; nothing of an older value shows through.
#[test]
fn decoding_makes_a_fresh_value() {
    let mut value = T1 { zero: 99, ..T1::default() };
    assert_eq!(value.zero, 99);
    value = decode(&encode(&T1::default())).unwrap();
    assert_eq!(value, T1::default());
}

/// Bytes that do not fit are refused, and the error names the type.
#[test]
fn wrong_bytes_are_refused() {
    let bytes = encode(&(1_u64, "text"));
    let error = decode::<u64>(&bytes).unwrap_err().to_string();
    assert_eq!(error, "cannot decode a u64: 5 bytes are left over");
    for end in 0..bytes.len() {
        assert!(decode::<(u64, String)>(&bytes[..end]).is_err(), "{end} bytes");
    }
    assert!(decode::<bool>(&[7]).is_err());
}
