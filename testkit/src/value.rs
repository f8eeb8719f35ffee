//! How a value that a client has read differs from the one that it should have read.

use crate::violation::Violation;

/// Broken by a value that lacks something.
pub(crate) const LOST: &str = "nothing that was written is lost";
/// Broken by a value that has something twice.
pub(crate) const ONCE: &str = "every call takes effect exactly once";

/// A client that knows the value of a key, for instance because it alone writes it, has read it.
/// `what` was read, in the words of the course.
///
/// # Errors
/// If another value was received, with the property that the difference shows to be broken.
pub fn compare_values(what: &str, expected: &str, received: &str) -> Result<(), Violation> {
    if received == expected {
        return Ok(());
    }
    let (property, reason) = difference(expected, received);
    let actual = format!("{what}: {reason}; expected:\n{expected}\nreceived:\n{received}");
    Err(Violation::new(property, actual))
}

/// The property that is broken, and the difference in a few words.
fn difference(expected: &str, received: &str) -> (&'static str, String) {
    if received.is_empty() {
        return (LOST, "the value is lost".to_string());
    }
    if let Some(missing) = expected.strip_prefix(received) {
        let reason = format!("the value is old, {} is missing at its end", short(missing));
        return ("a read returns the latest value, not a stale one", reason);
    }
    if let Some(more) = inserted(expected, received) {
        return match expected.contains(more) {
            true => (ONCE, format!("an append took effect twice, {} is there again", short(more))),
            false => (ONCE, format!("{} is there, but was not written", short(more))),
        };
    }
    if let Some(missing) = inserted(received, expected) {
        return (LOST, format!("an append is lost, {} is missing", short(missing)));
    }
    if received.len() > expected.len() && is_subsequence(expected, received) {
        return (ONCE, "several appends took effect twice".to_string());
    }
    ("a client reads the value that was written last", "another value".to_string())
}

/// What `longer` has in one piece that `shorter` has not.
fn inserted<'a>(shorter: &str, longer: &'a str) -> Option<&'a str> {
    let length = longer.len().checked_sub(shorter.len())?;
    let same = shorter.bytes().zip(longer.bytes()).take_while(|(a, b)| a == b).count();
    let more = longer.get(same..same + length)?;
    (longer.get(same + length..)? == shorter.get(same..)?).then_some(more)
}

/// Whether all characters of `part` are in `whole`, in the same order.
fn is_subsequence(part: &str, whole: &str) -> bool {
    let mut whole = whole.chars();
    part.chars().all(|wanted| whole.any(|found| found == wanted))
}

/// A quote of a text, or of its beginning.
fn short(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{:?}... ({} bytes)", &text[..end], text.len()),
        None => format!("{text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn difference_names_what_went_wrong() {
        let expected = "x 0 0 yx 0 1 yx 0 2 y";
        for (received, reason) in [
            ("", "the value is lost"),
            ("x 0 0 yx 0 1 y", "the value is old, \"x 0 2 y\" is missing at its end"),
            ("x 0 0 yx 0 2 y", "an append is lost, \"1 yx 0 \" is missing"),
            (
                "x 0 0 yx 0 0 yx 0 1 yx 0 2 y",
                "an append took effect twice, \"0 yx 0 \" is there again",
            ),
            (
                "x 0 0 yx 0 1 yx 0 2 yx 0 1 y",
                "an append took effect twice, \"x 0 1 y\" is there again",
            ),
            ("x 0 0 yx 0 0 yx 0 1 yx 0 2 yx 0 2 y", "several appends took effect twice"),
            ("x 0 0 yz", "another value"),
        ] {
            assert_eq!(difference(expected, received).1, reason);
        }
        assert!(compare_values("Get(0)", expected, expected).is_ok());
    }
}
