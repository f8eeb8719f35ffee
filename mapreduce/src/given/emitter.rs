//! Where map puts its pairs: grouped in memory, and in sorted runs when that is full.

use std::io;
use std::ops::Range;
use std::path::PathBuf;

use tempfile::{NamedTempFile, TempPath};

use crate::given::files::Scratch;
use crate::given::groups::{Chain, Groups};
use crate::given::merge::Merge;
use crate::given::partition::partition;
use crate::given::run_file::RunWriter;
use crate::given::values::{Combiner, Values};

/// Memory for pairs; the slots of a worker share it. The buffers behind it may be twice as large
/// while they grow, so all of it stays far below 256 MB.
pub(crate) const MEMORY: usize = 32 << 20;

/// Takes the pairs that [`App::map`](crate::App::map) emits.
pub struct Emitter<'a> {
    groups: Groups,
    settings: Settings<'a>,
    /// Sorted runs, for each partition in the order in which they were written.
    spilled: Vec<Vec<TempPath>>,
    /// Why pairs are missing from the runs.
    error: Option<io::Error>,
}

/// What to do with pairs.
pub(crate) struct Settings<'a> {
    /// How many parts to divide the keys into.
    pub(crate) partitions: u32,
    /// Applied before pairs are written.
    pub(crate) combiner: Option<Combiner>,
    /// Bytes of pairs to keep in memory.
    pub(crate) memory: usize,
    /// Where runs are written.
    pub(crate) scratch: &'a Scratch,
}

impl<'a> Emitter<'a> {
    /// An emitter without pairs.
    pub(crate) fn new(settings: Settings<'a>) -> Self {
        let spilled = (0..settings.partitions).map(|_| Vec::new()).collect();
        Self { groups: Groups::default(), settings, spilled, error: None }
    }

    /// Emits a pair.
    pub fn emit(&mut self, key: &str, value: &str) {
        self.groups.add(key, value);
        if self.groups.size() > self.settings.memory {
            self.spill();
        }
    }

    /// Makes room in memory.
    #[cold]
    fn spill(&mut self) {
        if self.error.is_none() {
            self.error = self.write_runs().err();
        }
        self.groups.clear();
    }

    /// One file per partition that holds all its pairs, sorted by key.
    pub(crate) fn into_files(mut self) -> io::Result<Vec<TempPath>> {
        let is_first = self.spilled.iter().all(Vec::is_empty);
        if is_first || !self.groups.is_empty() {
            self.spill();
        }
        if let Some(error) = self.error {
            return Err(error);
        }
        let scratch = self.settings.scratch;
        self.spilled.into_iter().map(|runs| merge_runs(runs, scratch)).collect()
    }

    /// Calls `each` with every key in order and all its values. For an emitter with one partition.
    pub(crate) fn for_each(
        mut self,
        mut each: impl FnMut(&str, Values<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        if self.spilled.iter().all(Vec::is_empty) && self.error.is_none() {
            return self
                .groups
                .sorted()
                .try_for_each(|(key, mut chain)| each(key, Values::stored(&mut chain)));
        }
        self.spill();
        if let Some(error) = self.error {
            return Err(error);
        }
        drop(self.groups);
        let paths = self.spilled.iter().flatten().map(|run| run.to_path_buf()).collect();
        Merge::open(paths, self.settings.scratch)?.for_each(each)
    }

    /// Writes what is in memory as one run per partition, as many at a time as can be open.
    fn write_runs(&mut self) -> io::Result<()> {
        let (partitions, at_once) = (self.settings.partitions, self.settings.scratch.open_files());
        let sorted = self.groups.sorted();
        for first in (0..partitions).step_by(at_once) {
            let some = first..partitions.min(first.saturating_add(at_once as u32));
            let paths = self.settings.write_some(some.clone(), sorted.clone())?;
            some.zip(paths).for_each(|(run, path)| self.spilled[run as usize].push(path));
        }
        Ok(())
    }
}

impl Settings<'_> {
    /// Writes one run for each of these partitions.
    fn write_some<'a>(
        &self,
        partitions: Range<u32>,
        sorted: impl Iterator<Item = (&'a str, Chain<'a>)>,
    ) -> io::Result<Vec<TempPath>> {
        let files = partitions.clone().map(|_| self.scratch.create());
        let files = files.collect::<io::Result<Vec<_>>>()?;
        let (files, paths): (Vec<_>, Vec<_>) =
            files.into_iter().map(NamedTempFile::into_parts).unzip();
        let mut runs: Vec<_> = files.into_iter().map(RunWriter::new).collect();
        for (key, mut chain) in sorted {
            let partition = partition(key, self.partitions);
            if !partitions.contains(&partition) {
                continue;
            }
            let run = &mut runs[(partition - partitions.start) as usize];
            run.key(key)?;
            match self.combiner {
                Some(combine) => run.value(&combine(key, Values::stored(&mut chain)), 1)?,
                None => {
                    while let Some((value, times)) = chain.next_str() {
                        run.value(value, times)?;
                    }
                }
            }
            run.end_key()?;
        }
        runs.into_iter().try_for_each(RunWriter::finish)?;
        Ok(paths)
    }
}

impl std::fmt::Debug for Emitter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Emitter").field("bytes", &self.groups.size()).finish()
    }
}

/// One run with the pairs of several.
fn merge_runs(runs: Vec<TempPath>, scratch: &Scratch) -> io::Result<TempPath> {
    let runs = match <[TempPath; 1]>::try_from(runs) {
        Ok([only]) => return Ok(only),
        Err(several) => several,
    };
    let paths: Vec<PathBuf> = runs.iter().map(|run| run.to_path_buf()).collect();
    let (file, path) = scratch.create()?.into_parts();
    Merge::open(paths, scratch)?.write(RunWriter::new(file))?;
    Ok(path)
}
