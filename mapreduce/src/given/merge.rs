//! Many sorted runs as one, streamed.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempPath;

use crate::given::files::Scratch;
use crate::given::run_file::{RunReader, RunWriter};
use crate::given::values::{StoredValues, Values};

/// The keys of several runs in order, each with its values from all of them, those of the first run
/// first.
pub(crate) struct Merge {
    readers: Vec<RunReader>,
    /// The next key of each run that has one, smallest first, then by number of the run.
    heads: BinaryHeap<Reverse<(Vec<u8>, usize)>>,
    /// The current key.
    key: Vec<u8>,
    /// The runs that have the current key, and have not yet given all their values, last one first.
    sources: Vec<usize>,
    /// Buffers of keys that are not in use.
    spare: Vec<Vec<u8>>,
    /// What went wrong while values were read. Reported when the next key is asked for.
    error: Option<io::Error>,
    /// Runs that were made on the way; their files go with them.
    _intermediate: Vec<TempPath>,
}

impl Merge {
    /// Merges any number of runs. Those that cannot all be open at once are first merged into
    /// longer ones.
    pub(crate) fn open(mut runs: Vec<PathBuf>, scratch: &Scratch) -> io::Result<Self> {
        let at_once = scratch.open_files() - 1; // One more is the run that is made of them.
        let mut intermediate = Vec::new();
        while runs.len() > at_once {
            let mut longer = Vec::new();
            for some in runs.chunks(at_once) {
                let (file, path) = scratch.create()?.into_parts();
                Self::of_readers(some)?.write(RunWriter::new(file))?;
                longer.push(path.to_path_buf());
                intermediate.push(path);
            }
            runs = longer;
        }
        let mut merge = Self::of_readers(&runs)?;
        merge._intermediate = intermediate;
        Ok(merge)
    }

    /// Merges runs that can all be open at once.
    fn of_readers(runs: &[PathBuf]) -> io::Result<Self> {
        let readers = runs.iter().map(|run: &PathBuf| RunReader::open(Path::new(run)));
        let readers = readers.collect::<io::Result<Vec<_>>>()?;
        let mut merge = Self {
            heads: BinaryHeap::with_capacity(readers.len()),
            readers,
            key: Vec::new(),
            sources: Vec::new(),
            spare: Vec::new(),
            error: None,
            _intermediate: Vec::new(),
        };
        for run in 0..merge.readers.len() {
            merge.advance(run)?;
        }
        Ok(merge)
    }

    /// Calls `each` with every key and its values.
    pub(crate) fn for_each(
        mut self,
        mut each: impl FnMut(&str, Values<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        while self.next_key()? {
            let key = std::mem::take(&mut self.key);
            let text = std::str::from_utf8(&key).map_err(|_| not_text())?;
            each(text, Values::stored(&mut self))?;
            self.key = key;
        }
        Ok(())
    }

    /// Writes everything as one run.
    pub(crate) fn write(self, mut to: RunWriter<File>) -> io::Result<()> {
        self.for_each(|key, values| {
            to.key(key)?;
            values.grouped().try_for_each(|(value, times)| to.value(&value, times))?;
            to.end_key()
        })?;
        to.finish()
    }

    /// Goes to the next key; false at the end.
    fn next_key(&mut self) -> io::Result<bool> {
        while let Some(run) = self.sources.pop() {
            self.advance(run)?; // Skips values that reduce did not read.
        }
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        let Some(Reverse((key, run))) = self.heads.pop() else { return Ok(false) };
        self.spare.push(std::mem::replace(&mut self.key, key));
        self.sources.push(run);
        while let Some(Reverse((key, _))) = self.heads.peek()
            && *key == self.key
            && let Some(Reverse((key, run))) = self.heads.pop()
        {
            self.spare.push(key);
            self.sources.push(run);
        }
        self.sources.reverse();
        Ok(true)
    }

    /// Takes the next key of a run, if it has one.
    fn advance(&mut self, run: usize) -> io::Result<()> {
        let mut key = self.spare.pop().unwrap_or_default();
        if self.readers[run].next_key(&mut key)? {
            self.heads.push(Reverse((key, run)));
        }
        Ok(())
    }

    /// The next value of the current key.
    fn try_next_value(&mut self, value: &mut String) -> io::Result<Option<u64>> {
        while let Some(run) = self.sources.last().copied() {
            let mut bytes = std::mem::take(value).into_bytes();
            let times = self.readers[run].next_value(&mut bytes)?;
            *value = String::from_utf8(bytes).map_err(|_| not_text())?;
            if times.is_some() {
                return Ok(times);
            }
            self.sources.pop();
            self.advance(run)?;
        }
        Ok(None)
    }
}

impl StoredValues for Merge {
    fn next_value(&mut self, value: &mut String) -> Option<u64> {
        if self.error.is_some() {
            return None;
        }
        self.try_next_value(value).unwrap_or_else(|error| {
            self.error = Some(error);
            None
        })
    }
}

/// A key or a value that is stored is not what was emitted.
fn not_text() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "an intermediate file holds bytes that are not UTF-8",
    )
}

#[cfg(test)]
mod tests;
