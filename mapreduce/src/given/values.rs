//! The values of one key, as reduce sees them.

use std::fmt;
use std::vec;

/// The values of one key, one after the other, without ever being in memory together.
///
/// Used by the grading tests.
///
/// Equal values that were emitted one after the other are stored once, with their number. Iterating
/// shows each of them, but [`count`](Iterator::count) and [`grouped`](Values::grouped) need not:
///
/// ```
/// use mapreduce::Values;
/// assert_eq!(Values::of(["1", "1", "2"]).collect::<String>(), "112");
/// assert_eq!(Values::of(["1", "1", "2"]).count(), 3);
/// let total: u64 = Values::of(["1", "1", "2"])
///     .grouped()
///     .map(|(value, times)| value.parse::<u64>().expect("a number") * times)
///     .sum();
/// assert_eq!(total, 4);
/// ```
pub struct Values<'a> {
    source: Source<'a>,
    /// The current value.
    value: String,
    /// How often it is still to be returned.
    left: u64,
}

/// A combiner: partial reduction where the pairs are made, see
/// [`App::combiner`](crate::App::combiner).
pub type Combiner = fn(key: &str, values: Values<'_>) -> String;

/// Where values come from.
enum Source<'a> {
    /// The table in memory, or files that are being merged.
    Stored(&'a mut dyn StoredValues),
    /// A list.
    List(vec::IntoIter<String>),
}

/// Values that are stored with their numbers.
pub(crate) trait StoredValues {
    /// Puts the next value into `value` and returns how often it occurs in a row.
    fn next_value(&mut self, value: &mut String) -> Option<u64>;
}

impl<'a> Values<'a> {
    /// These values, for tests of an app.
    pub fn of<T: Into<String>>(values: impl IntoIterator<Item = T>) -> Values<'static> {
        let list: Vec<String> = values.into_iter().map(Into::into).collect();
        Values { source: Source::List(list.into_iter()), value: String::new(), left: 0 }
    }

    /// The values that `source` yields.
    pub(crate) fn stored(source: &'a mut dyn StoredValues) -> Self {
        Self { source: Source::Stored(source), value: String::new(), left: 0 }
    }

    /// The values with numbers of occurrences in a row.
    pub fn grouped(mut self) -> impl Iterator<Item = (String, u64)> {
        std::iter::from_fn(move || {
            if self.left == 0 && !self.advance() {
                return None;
            }
            Some((std::mem::take(&mut self.value), std::mem::take(&mut self.left)))
        })
    }

    /// Goes to the next value; false at the end.
    fn advance(&mut self) -> bool {
        let times = match &mut self.source {
            Source::Stored(source) => source.next_value(&mut self.value),
            Source::List(list) => list.next().map(|value| {
                self.value = value;
                1
            }),
        };
        self.left = times.unwrap_or(0);
        times.is_some()
    }
}

impl Iterator for Values<'_> {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        if self.left == 0 && !self.advance() {
            return None;
        }
        self.left -= 1;
        Some(if self.left == 0 { std::mem::take(&mut self.value) } else { self.value.clone() })
    }

    fn count(mut self) -> usize {
        let mut count = self.left;
        while self.advance() {
            count += self.left;
        }
        usize::try_from(count).expect("fewer values than bytes of memory")
    }
}

impl fmt::Debug for Values<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Values")
    }
}
