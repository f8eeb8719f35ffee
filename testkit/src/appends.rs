//! Items that clients append to a value, and what must be left of them.

use std::collections::BTreeMap;

use crate::value::{LOST, ONCE};
use crate::violation::Violation;

/// Holds between the calls that one client makes one after the other.
const IN_ORDER: &str = "a value has the appends of one client in their order";

/// A client's item with this number: `x 2 7 y`, as in the course.
pub fn item(client: u64, number: u64) -> String {
    format!("x {client} {number} y")
}

/// A value holds the items of some clients, `(client, how many)`, each once, and those of one
/// client in order.
///
/// # Errors
/// If an item is missing, there twice, or out of order.
pub fn check_appends(value: &str, clients: &[(u64, u64)]) -> Result<(), Violation> {
    let mut positions: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let mut offset = 0;
    for item in value.split_inclusive('y') {
        positions.entry(item).or_default().push(offset);
        offset += item.len();
    }
    for &(client, count) in clients {
        let mut last = None;
        for number in 0..count {
            let item = item(client, number);
            let position = match positions.get(item.as_str()).map(Vec::as_slice) {
                None => return Err(violation(LOST, "missing", &item, value)),
                Some(&[position]) => Some(position),
                Some(_) => return Err(violation(ONCE, "duplicate", &item, value)),
            };
            if position < last {
                return Err(violation(IN_ORDER, "wrong order for", &item, value));
            }
            last = position;
        }
    }
    Ok(())
}

/// What is wrong with an item in a value.
fn violation(property: &str, problem: &str, item: &str, value: &str) -> Violation {
    let (begin, length): (String, _) = (value.chars().take(200).collect(), value.len());
    let actual =
        format!("{problem} element {item} in append result: {begin:?} (of {length} bytes)");
    Violation::new(property, actual)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is wrong with a value to which client 1 has appended three items and client 2 one.
    fn problem(value: &str) -> Option<String> {
        let violation = check_appends(value, &[(1, 3), (2, 1)]).err()?;
        Some(violation.actual.split(" in append").next().unwrap().to_string())
    }

    #[test]
    fn items_must_be_there_once_and_in_order() {
        let [a, b, c, other] = [item(1, 0), item(1, 1), item(1, 2), item(2, 0)];
        assert_eq!(problem(&[&a, &other, &b, &c].map(String::as_str).concat()), None);
        assert_eq!(problem(&format!("{a}{other}{c}")), Some("missing element x 1 1 y".into()));
        assert_eq!(
            problem(&format!("{a}{b}{other}{c}{b}")),
            Some("duplicate element x 1 1 y".into())
        );
        assert_eq!(
            problem(&format!("{a}{c}{other}{b}")),
            Some("wrong order for element x 1 2 y".into())
        );
        assert_eq!(problem(&format!("{a}{b}{c}")), Some("missing element x 2 0 y".into()));
    }
}
