use std::collections::BTreeMap;

use serde::Serialize;

use super::{MOST_CHARS, words};

#[derive(Serialize)]
struct Args {
    term: u64,
    last: Option<Pair>,
    entries: Vec<Entry>,
}

#[derive(Serialize)]
struct Pair(u64, i8);

#[derive(Serialize)]
struct Id(u32);

#[derive(Serialize)]
struct Unit;

#[derive(Serialize)]
enum Entry {
    Empty,
    Bytes(Vec<u8>),
    Put { key: String, value: char },
    Both(bool, f64),
}

#[test]
fn structs_and_enums_look_like_their_debug_output() {
    let entries = vec![
        Entry::Empty,
        Entry::Put { key: "k".to_string(), value: 'x' },
        Entry::Both(true, 0.5),
        Entry::Bytes(b"a\n\x01\"".to_vec()),
    ];
    assert_eq!(
        words(&Args { term: 3, last: Some(Pair(7, -1)), entries }),
        r#"Args { term: 3, last: Some(Pair(7, -1)), entries: [Empty, Put { key: "k", value: 'x' }, Both(true, 0.5), Bytes("a\n\x01\"")] }"#
    );
    assert_eq!(words(&(Id(1), Unit, (), None::<u8>)), "(Id(1), Unit, (), None)");
}

#[test]
fn bytes_are_text_in_a_list_and_numbers_elsewhere() {
    assert_eq!(words(&b"ab".to_vec()), r#""ab""#);
    assert_eq!(words(&[b"ab".to_vec(), Vec::new()].to_vec()), r#"["ab", []]"#);
    assert_eq!(words(&(1_u8, [2_u8, 3])), "(1, (2, 3))");
    assert_eq!(words(&vec![Some(1_u8), None]), "[Some(1), None]");
    assert_eq!(words(&vec![Vec::<u64>::new(), vec![1, 2]]), "[[], [1, 2]]");
}

#[test]
fn maps_and_texts_are_quoted() {
    let map = BTreeMap::from([("a \"b\"", vec![1_u64]), ("c", vec![])]);
    assert_eq!(words(&map), r#"{"a \"b\"": [1], "c": []}"#);
    assert_eq!(words(&format_args!("{}", 7)), "\"7\"");
}

#[test]
fn long_values_are_cut_without_being_formatted_to_the_end() {
    let text = words(&"ä".repeat(1_000));
    assert_eq!(text.chars().count(), MOST_CHARS + 1);
    assert!(text.starts_with("\"ä") && text.ends_with("ä…"), "{text}");

    /// Panics when it is formatted.
    struct Last;
    impl Serialize for Last {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            panic!("what is cut off is not formatted")
        }
    }
    assert!(words(&("x".repeat(MOST_CHARS), Last)).ends_with("x…"));
    let exact = "x".repeat(MOST_CHARS - 2);
    assert_eq!(words(&exact), format!("\"{exact}\""));
}
