//! The whole job in one process: the oracle.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use crate::app::App;
use crate::emitter::{Emitter, MEMORY, Settings};
use crate::files::{self, Scratch};
use crate::split::Split;

/// Maps every split, then reduces every key in order, into the one output `mr-out-0` of
/// `directory`. Knows nothing of tasks, partitions and combiners.
///
/// # Errors
/// If a file cannot be read or written.
pub fn run(app: &dyn App, splits: &[Split], directory: &Path) -> io::Result<()> {
    let scratch = Scratch::for_sequential(directory);
    let settings = Settings { partitions: 1, combiner: None, memory: MEMORY, scratch: &scratch };
    let mut pairs = Emitter::new(settings);
    for split in splits {
        app.map(&split.file, &split.read()?, &mut pairs);
    }
    let mut output = BufWriter::new(scratch.create()?);
    pairs.for_each(|key, values| writeln!(output, "{key} {}", app.reduce(key, values)))?;
    let output = output.into_inner().map_err(io::IntoInnerError::into_error)?;
    output.persist(directory.join(files::output(0)))?;
    Ok(())
}
