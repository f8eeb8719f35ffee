//! In which files each word occurs.

use std::collections::BTreeSet;

use super::words::words;
use crate::given::app::App;
use crate::given::emitter::Emitter;
use crate::given::values::Values;

/// The app `indexer`: for each word the number of files that it occurs in, and their names.
#[derive(Clone, Copy, Debug)]
pub struct Indexer;

impl App for Indexer {
    fn map(&self, file: &str, contents: &str, out: &mut Emitter<'_>) {
        words(contents).collect::<BTreeSet<_>>().into_iter().for_each(|word| out.emit(word, file));
    }

    fn reduce(&self, _word: &str, files: Values<'_>) -> String {
        let files = distinct(files);
        format!("{} {}", files.len(), files.join(","))
    }
}

/// The distinct values in order. A file of several splits is named once by each.
pub(super) fn distinct(values: Values<'_>) -> Vec<String> {
    let distinct: BTreeSet<String> = values.grouped().map(|(value, _)| value).collect();
    distinct.into_iter().collect()
}
