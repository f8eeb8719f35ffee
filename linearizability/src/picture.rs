//! Draws operations as intervals in ASCII.

use std::collections::{BTreeMap, BTreeSet};

/// How long a label may be.
const MAX_LABEL: usize = 56;

/// Columns between two moments.
const GAP: usize = 3;

/// One operation to draw.
#[derive(Clone, Debug)]
pub(crate) struct Bar {
    /// Whose line it is on.
    pub client: u64,
    /// What is written on it.
    pub label: String,
    /// Where it begins.
    pub call_time: u64,
    /// Where it ends, if it does.
    pub return_time: Option<u64>,
}

/// A place on the time axis. At the same time calls come before returns, because closed intervals
/// that touch overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Moment {
    /// When it is.
    time: u64,
    /// Whether an operation returns then, and is not called.
    is_return: bool,
}

impl Bar {
    /// Where it begins.
    fn begin(&self) -> Moment {
        Moment { time: self.call_time, is_return: false }
    }

    /// Where it ends, if it does.
    fn end(&self) -> Option<Moment> {
        self.return_time.map(|time| Moment { time, is_return: true })
    }
}

/// Draws one line for each client; more if a client's operations overlap.
///
/// ```text
/// C1  |-append(k, "a")-|
/// C2    |-append(k, "b")- ...
/// C3                        |-get(k) -> "ba"-|
/// ```
pub(crate) fn draw(bars: &[Bar]) -> String {
    let bars: Vec<Bar> =
        bars.iter().map(|bar| Bar { label: elide(&bar.label, MAX_LABEL), ..bar.clone() }).collect();
    let columns = columns(&bars);
    let name = |client: u64| format!("C{client}");
    let margin = bars.iter().map(|bar| name(bar.client).len()).max().unwrap_or(0) + 2;
    let mut picture = String::new();
    for (client, line) in lines(&bars) {
        let mut text = format!("{:margin$}", name(client));
        for bar in line {
            let begin = columns[&bar.begin()];
            text += &" ".repeat(margin + begin - text.len());
            text += &match bar.end() {
                None => format!("|-{}- ...", bar.label),
                Some(end) => {
                    let width = columns[&end] - begin - 1;
                    format!("|{:-^width$}|", bar.label)
                }
            };
        }
        picture += &text;
        picture.push('\n');
    }
    picture
}

/// Makes a text ASCII, and shortens it to about `max` characters by leaving out its middle.
pub(crate) fn elide(text: &str, max: usize) -> String {
    let mut ascii = String::new();
    for char in text.chars() {
        match char {
            ' '..='~' => ascii.push(char),
            _ => ascii.extend(char.escape_default()),
        }
    }
    if ascii.len() <= max {
        return ascii;
    }
    let half = max / 2 - 2;
    format!("{} .. {}", &ascii[..half], &ascii[ascii.len() - half..])
}

/// Where each moment is drawn: far enough from the one before for what is written between them.
fn columns(bars: &[Bar]) -> BTreeMap<Moment, usize> {
    let begins = bars.iter().map(Bar::begin);
    let moments: BTreeSet<Moment> = begins.chain(bars.iter().filter_map(Bar::end)).collect();
    let mut columns = BTreeMap::new();
    let mut next = 0;
    for moment in moments {
        for bar in bars.iter().filter(|bar| bar.end() == Some(moment)) {
            // A bar reads `|-label-|`.
            next = next.max(columns[&bar.begin()] + bar.label.len() + 3);
        }
        columns.insert(moment, next);
        next += GAP;
    }
    columns
}

/// Distributes the operations over lines on which they do not overlap.
fn lines(bars: &[Bar]) -> Vec<(u64, Vec<&Bar>)> {
    let mut sorted: Vec<&Bar> = bars.iter().collect();
    sorted.sort_by_key(|bar| (bar.client, bar.call_time, bar.return_time));
    let mut lines: Vec<(u64, Vec<&Bar>)> = Vec::new();
    for bar in sorted {
        let is_free = |line: &&mut (u64, Vec<&Bar>)| {
            let returned = line.1.last().and_then(|last| last.return_time);
            line.0 == bar.client && returned.is_some_and(|returned| returned < bar.call_time)
        };
        match lines.iter_mut().find(is_free) {
            Some(line) => line.1.push(bar),
            None => lines.push((bar.client, vec![bar])),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A bar of a client.
    fn bar(client: u64, label: &str, call_time: u64, return_time: Option<u64>) -> Bar {
        Bar { client, label: label.to_string(), call_time, return_time }
    }

    /// A client that goes on after a call that never returned gets another line.
    #[test]
    fn overlapping_operations_of_a_client() {
        let bars = [bar(1, "a", 0, Some(5)), bar(2, "b", 1, None), bar(2, "c", 7, Some(8))];
        let expected = "\
C1  |--a--|
C2     |-b- ...
C2           |-c-|
";
        assert_eq!(draw(&bars), expected);
    }

    /// Whatever the values are, pictures are ASCII and lines are lines.
    #[test]
    fn other_characters_are_escaped() {
        let picture = draw(&[bar(1, "\u{e4}\n\u{4e2d}", 0, Some(1)), bar(1, "x", 2, Some(3))]);
        assert_eq!(picture, "C1  |-\\u{e4}\\n\\u{4e2d}-|  |-x-|\n");
    }

    /// Of a long label both ends are shown.
    #[test]
    fn long_labels_are_shortened() {
        assert_eq!(elide("abcdefghijklmnopqrstuvwxyz", 20), "abcdefgh .. stuvwxyz");
        assert_eq!(elide("abc", 20), "abc");
    }
}
