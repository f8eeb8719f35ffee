//! How often each word occurs.

use super::words::words;
use crate::given::app::{App, Combiner};
use crate::given::emitter::Emitter;
use crate::given::values::Values;

/// The app `wc`: how often each word occurs.
#[derive(Clone, Copy, Debug)]
pub struct WordCount;

impl App for WordCount {
    fn map(&self, _file: &str, contents: &str, out: &mut Emitter<'_>) {
        words(contents).for_each(|word| out.emit(word, "1"));
    }

    fn reduce(&self, _word: &str, counts: Values<'_>) -> String {
        sum(counts)
    }

    fn combiner(&self) -> Option<Combiner> {
        Some(|_word, counts| sum(counts))
    }
}

/// The sum of numbers: ones from map, or sums from the combiner.
fn sum(counts: Values<'_>) -> String {
    let parse = |count: String| count.parse::<u64>().expect("map and combiner emit numbers");
    counts.grouped().map(|(count, times)| parse(count) * times).sum::<u64>().to_string()
}
