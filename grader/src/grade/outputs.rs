//! The outputs: files for students, staff and other programs, made from the results.
//!
//! What a submission says, such as panic messages and the names of files, is data here: no output
//! lets it act on the program that shows it.
//!
//! | module | what it makes |
//! |---|---|
//! | [`class`] | `results.json`: the results of all submissions |
//! | [`csv`] | `results.csv` |
//! | [`junit`] | `junit.xml` |
//! | [`gradescope`] | `gradescope.json` |
//! | [`page`] | `submissions/<name>.html`: for a student |
//! | [`class_page`] | `index.html`: for the staff, with the numbers of [`statistics`] |
//! | [`shared`] | which submissions share files |
//! | [`frame`], [`markup`] | HTML and XML that escape all text |
//! | [`text`] | makes text harmless for terminals, and file names of ids |
//! | [`diff`], [`merge`] | `cargo grader diff` and `cargo grader merge` |

mod class;
mod class_page;
mod csv;
pub(crate) mod diff;
pub(crate) mod format;
mod frame;
mod gradescope;
#[cfg(test)]
pub(crate) mod hostile;
mod junit;
mod markup;
pub(crate) mod merge;
mod page;
mod shared;
mod statistics;
pub(crate) mod text;

#[cfg(test)]
mod tests;

use std::fs;
use std::path::Path;

use judge::Error;

use crate::grade::outputs::class::Class;
use crate::grade::outputs::format::Format;
use crate::grade::outputs::text::{PAGES, page_of};

/// Writes the outputs of all results in `directory`.
///
/// # Errors
/// If a result cannot be read or a file cannot be written.
pub(crate) fn write(directory: &Path, formats: &[Format]) -> Result<(), Error> {
    let class = Class::read(directory)?;
    for format in formats {
        let path = |name: &str| directory.join(name);
        match format {
            Format::Json => put(&path("results.json"), &class.to_json()?)?,
            Format::Csv => put(&path("results.csv"), &csv::text(&class))?,
            Format::Junit => put(&path("junit.xml"), &junit::text(&class))?,
            Format::Html => pages(&class, directory)?,
            Format::Gradescope => {
                let [one] = &class.submissions[..] else {
                    let count = class.submissions.len();
                    return Err(Error::harness(format!(
                        "gradescope.json is for one submission, and {} has results of {count}",
                        directory.display()
                    )));
                };
                put(&path("gradescope.json"), &gradescope::text(one)?)?;
            }
        }
    }
    Ok(())
}

/// Writes the pages.
fn pages(class: &Class, directory: &Path) -> Result<(), Error> {
    let pages = directory.join(PAGES);
    fs::create_dir_all(&pages).map_err(Error::file("create", &pages))?;
    for graded in &class.submissions {
        put(&directory.join(page_of(&graded.id)), &page::html(graded))?;
    }
    put(&directory.join("index.html"), &class_page::html(class))
}

/// Writes a file: it is complete, or has its former contents.
fn put(path: &Path, text: &str) -> Result<(), Error> {
    let mut name = path.as_os_str().to_owned();
    name.push(".unfinished");
    let unfinished = Path::new(&name);
    fs::write(unfinished, text).map_err(Error::file("write", unfinished))?;
    fs::rename(unfinished, path).map_err(Error::file("write", path))
}
