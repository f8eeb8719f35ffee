//! Finds the labs in an archive: people pack them in different ways.

use std::collections::BTreeSet;

use crate::archive::entries::Entries;
use crate::error::Error;
use crate::tree::{is_plain, is_target};

/// Paths from the root of the tree, with their contents.
pub(crate) type Files = Vec<(String, Vec<u8>)>;

/// Where the sources are in an archive.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Layout<'a> {
    /// The directory around all labs, if there is one.
    wrapper: Option<&'a str>,
    /// The lab whose `src` stands alone, if it does.
    lab: Option<&'a str>,
}

/// Splits the entries into the files of the submission and the names of the others.
///
/// # Errors
/// If the archive contains no lab, or more than one submission.
pub(crate) fn apply(
    entries: Entries,
    labs: &[&str],
    single: Option<&str>,
) -> Result<(Files, Vec<String>), Error> {
    let layouts: BTreeSet<Layout<'_>> =
        entries.files.iter().filter_map(|(parts, _)| layout_of(parts, labs, single)).collect();
    // A whole lab counts before a lone `src`: the tree around it may have others.
    let whole: Vec<_> = layouts.iter().filter(|layout| layout.lab.is_none()).collect();
    let lone: Vec<_> = layouts.iter().filter(|layout| layout.lab.is_some()).collect();
    let layout = match (&whole[..], &lone[..]) {
        ([one], _) | ([], [one]) => (*one).clone(),
        ([], []) => {
            let labs = labs.join(", ");
            return Err(Error::Refused(format!("it contains no <lab>/src of the labs {labs}")));
        }
        ([one, other, ..], _) | (_, [one, other, ..]) => {
            let name = |layout: &Layout<'_>| match layout.wrapper {
                Some(wrapper) => format!("in '{}'", wrapper.escape_debug()),
                None => "at the top".to_string(),
            };
            let (one, other) = (name(one), name(other));
            return Err(Error::Refused(format!("it has labs {one} and {other}: hand in one tree")));
        }
    };
    let layout = (layout.wrapper.map(str::to_string), layout.lab.map(str::to_string));
    let (mut files, mut ignored) = (Files::new(), entries.skipped);
    for (parts, contents) in entries.files {
        match (place(&parts, &layout, labs)?, contents) {
            (Some(path), Some(contents)) => files.push((path, contents)),
            _ => ignored.push(parts.join("/")),
        }
    }
    Ok((files, ignored))
}

/// The layout that a file would be a source in.
fn layout_of<'a>(
    parts: &'a [String],
    labs: &[&str],
    single: Option<&'a str>,
) -> Option<Layout<'a>> {
    let is_lab = |part: &String| labs.contains(&part.as_str());
    let is_source = parts.last().is_some_and(|last| last.ends_with(".rs"));
    match parts {
        _ if !is_source => None,
        [lab, src, _, ..] if is_lab(lab) && src == "src" => {
            Some(Layout { wrapper: None, lab: None })
        }
        [wrapper, lab, src, _, ..] if is_lab(lab) && src == "src" => {
            Some(Layout { wrapper: Some(wrapper), lab: None })
        }
        [src, _, ..] if single.is_some() && src == "src" => {
            Some(Layout { wrapper: None, lab: single })
        }
        [wrapper, src, _, ..] if single.is_some() && src == "src" => {
            Some(Layout { wrapper: Some(wrapper), lab: single })
        }
        _ => None,
    }
}

/// The path in the tree of a file of the submission.
///
/// # Errors
/// If a directory in it has the name of a source: another tree may have a file there.
fn place(
    parts: &[String],
    (wrapper, lab): &(Option<String>, Option<String>),
    labs: &[&str],
) -> Result<Option<String>, Error> {
    let in_wrapper = match wrapper {
        Some(wrapper) if parts.first() == Some(wrapper) => &parts[1..],
        Some(_) => return Ok(None),
        None => parts,
    };
    let (lab, rest) = match (lab, in_wrapper) {
        (Some(lab), rest) => (lab, rest),
        (None, [lab, rest @ ..]) => (lab, rest),
        (None, []) => return Ok(None),
    };
    let [src, directories @ .., last] = rest else { return Ok(None) };
    let inside = &rest[1..];
    let belongs = labs.contains(&lab.as_str())
        && src == "src"
        && last.ends_with(".rs")
        && inside.iter().all(|part| is_plain(part));
    if belongs && directories.iter().any(|directory| directory.ends_with(".rs")) {
        let rule = "is in a directory whose name ends with '.rs'";
        return Err(Error::entry(parts.join("/"), rule));
    }
    let inside = inside.join("/");
    Ok((belongs && !is_target(&inside)).then(|| format!("{lab}/src/{inside}")))
}
