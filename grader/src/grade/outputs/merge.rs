//! `cargo grader merge`: joins the results of shards.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use contract::record::Exit;
use judge::{Error, Workspace};

use super::class::{Class, in_directory, plan};
use super::text::file_name;
use crate::cli::MergeOptions;
use crate::grade::pictures;
use crate::grade::results::Graded;
use crate::progress::print;

/// Runs the command.
///
/// # Errors
/// If the results do not belong together, or a file cannot be read or written.
pub(crate) fn run(options: &MergeOptions) -> Result<Exit, Error> {
    let joined = join(&options.directories)?;
    let out = match &options.output {
        Some(out) => out.clone(),
        None => Workspace::find()?.root().join("lab-runs").join("merge"),
    };
    for earlier in in_directory(&out)? {
        if !joined.contains_key(&earlier.id) {
            let (out, id) = (out.display(), &earlier.id);
            return Err(Error::harness(format!(
                "{out} has a result of {id:?}, which is in none of the shards: name another --output"
            )));
        }
    }
    fs::create_dir_all(&out).map_err(Error::file("create", &out))?;
    for (graded, from) in joined.values() {
        graded.write(&out.join(file_name(&graded.id, "json")))?;
        pictures::copy(&graded.id, from, &out)?;
    }
    super::write(&out, &options.format)?;
    print(&format!("{} results: {}", joined.len(), out.display()));
    Ok(Exit::Passed)
}

/// The results of all directories by id, with their directories.
fn join(directories: &[PathBuf]) -> Result<BTreeMap<String, (Graded, &PathBuf)>, Error> {
    let mut joined: BTreeMap<String, (Graded, &PathBuf)> = BTreeMap::new();
    for directory in directories {
        for graded in Class::read(directory)?.submissions {
            if let Some((first, from)) = joined.values().next()
                && plan(first) != plan(&graded)
            {
                return Err(Error::harness(format!(
                    "{} and {} were graded differently, so their scores cannot be compared:\n  \
                     {}\n  {}",
                    from.display(),
                    directory.display(),
                    plan(first),
                    plan(&graded)
                )));
            }
            match joined.get(&graded.id) {
                Some((earlier, from)) if *earlier != graded => {
                    return Err(Error::harness(format!(
                        "{:?} has different results in {} and {}: remove one of them",
                        graded.id,
                        from.display(),
                        directory.display()
                    )));
                }
                Some(_) => {}
                None => {
                    joined.insert(graded.id.clone(), (graded, directory));
                }
            }
        }
    }
    Ok(joined)
}
