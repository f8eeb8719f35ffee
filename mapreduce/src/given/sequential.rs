//! The whole job in one process: the oracle.

use std::io::{self, BufWriter, Write};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::given::app::App;
use crate::given::directory::JobDirectory;
use crate::given::emitter::{Emitter, MEMORY, Settings};
use crate::given::files;
use crate::given::split::Split;

/// Maps every split, then reduces every key in order, into the one output `mr-out-0` of
/// `directory`. Knows nothing of tasks, partitions and combiners.
///
/// # Errors
/// If a file cannot be read, written or removed, or if `is_interrupted` becomes true.
pub fn run(
    app: &dyn App,
    splits: &[Split],
    directory: &mut JobDirectory,
    is_interrupted: &AtomicBool,
) -> io::Result<()> {
    let go_on = || match is_interrupted.load(Relaxed) {
        true => Err(io::Error::other("interrupted: no output was written")),
        false => Ok(()),
    };
    directory.clear()?;
    let scratch = directory.scratch();
    let settings = Settings { partitions: 1, combiner: None, memory: MEMORY, scratch: &scratch };
    let mut pairs = Emitter::new(settings);
    for split in splits {
        go_on()?;
        app.map(&split.file, &split.read()?, &mut pairs);
    }
    let mut output = BufWriter::new(scratch.create()?);
    pairs.for_each(|key, values| {
        go_on()?;
        writeln!(output, "{key} {}", app.reduce(key, values))
    })?;
    let path = output.into_inner().map_err(io::IntoInnerError::into_error)?.into_temp_path();
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    directory.publish(&[(name.unwrap_or_default(), files::output(0))])
}
