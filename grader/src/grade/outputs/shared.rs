//! Which submissions share files, apart from comments and layout.

use std::collections::{BTreeMap, BTreeSet};

use super::class::Class;
use crate::grade::results::Graded;

/// Files that some submissions share.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Group<'a> {
    /// The ids of the submissions.
    pub(super) ids: BTreeSet<&'a str>,
    /// The paths of the files.
    pub(super) files: BTreeSet<&'a str>,
    /// Whether these are all files of each of them.
    pub(super) is_whole: bool,
}

impl<'a> Group<'a> {
    /// The groups of a class: first those that share all files, then those that share most.
    pub(super) fn all(class: &'a Class) -> Vec<Self> {
        let mut by_print: BTreeMap<&str, (BTreeSet<&str>, BTreeSet<&str>)> = BTreeMap::new();
        for graded in &class.submissions {
            for (file, print) in &graded.files {
                let (ids, files) = by_print.entry(print).or_default();
                ids.insert(&graded.id);
                files.insert(file);
            }
        }
        let mut by_ids: BTreeMap<BTreeSet<&str>, (BTreeSet<&str>, usize)> = BTreeMap::new();
        for (ids, files) in by_print.into_values().filter(|(ids, _)| ids.len() > 1) {
            let (all, prints) = by_ids.entry(ids).or_default();
            all.extend(files);
            *prints += 1;
        }
        let group = |(ids, (files, prints)): (BTreeSet<&'a str>, (BTreeSet<&'a str>, usize))| {
            let members = class.submissions.iter().filter(|graded| ids.contains(&*graded.id));
            let is_whole = members.into_iter().all(|graded| distinct(graded) == prints);
            Self { ids, files, is_whole }
        };
        let mut groups: Vec<Self> = by_ids.into_iter().map(group).collect();
        groups.sort_by_key(|group| (!group.is_whole, std::cmp::Reverse(group.files.len())));
        groups
    }

    /// What a submission shares with others, in words.
    pub(super) fn words(groups: &[Self], graded: &Graded) -> Vec<String> {
        let of = groups.iter().filter(|group| group.ids.contains(&*graded.id));
        of.map(|group| {
            let others = group.ids.iter().filter(|id| **id != graded.id).copied();
            let others = others.collect::<Vec<_>>().join(", ");
            match group.is_whole {
                true => format!("same sources as {others}"),
                false => format!("{} as in {others}", files(&group.files)),
            }
        })
        .collect()
    }
}

/// The number of different files of a submission.
fn distinct(graded: &Graded) -> usize {
    graded.files.values().collect::<BTreeSet<_>>().len()
}

/// The copies from elsewhere in a submission, in words: a line for each place.
pub(super) fn copies(graded: &Graded) -> Vec<String> {
    let mut by_place: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for copied in &graded.copies {
        by_place.entry(&copied.of).or_default().insert(&copied.file);
    }
    let words = |(of, paths): (&str, BTreeSet<&str>)| format!("{} as in {of}", files(&paths));
    by_place.into_iter().map(words).collect()
}

/// `raft/src/log.rs`, or a number of files and their names.
fn files(paths: &BTreeSet<&str>) -> String {
    let names = paths.iter().copied().collect::<Vec<_>>().join(", ");
    if paths.len() == 1 { names } else { format!("{} files ({names})", paths.len()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grade::outputs::hostile;
    use crate::grade::results::Copied;

    fn graded(id: &str, files: &[(&str, &str)]) -> Graded {
        let files = files.iter().map(|(path, print)| (path.to_string(), print.to_string()));
        Graded { files: files.collect(), ..hostile::graded(id) }
    }

    #[test]
    fn files_are_found_under_other_names_and_whole_submissions_come_first() {
        let class = Class::new(vec![
            graded("a", &[("raft/src/x.rs", "1"), ("raft/src/y.rs", "2")]),
            graded("b", &[("raft/src/z.rs", "1"), ("raft/src/w.rs", "3")]),
            graded("c", &[("raft/src/q.rs", "9"), ("raft/src/r.rs", "8")]),
            graded("d", &[("raft/src/q.rs", "9"), ("raft/src/r.rs", "8")]),
            graded("e", &[]),
            graded("f", &[]),
        ]);
        let groups = Group::all(&class);
        let ids: Vec<Vec<&str>> =
            groups.iter().map(|group| group.ids.iter().copied().collect()).collect();
        assert_eq!(ids, [["c", "d"], ["a", "b"]]);
        let words = |place: usize| Group::words(&groups, &class.submissions[place]);
        assert_eq!(words(0), ["2 files (raft/src/x.rs, raft/src/z.rs) as in b"]);
        assert_eq!(words(3), ["same sources as c"]);
        assert_eq!(words(4), [""; 0]);
    }

    #[test]
    fn copies_are_listed_by_place() {
        let copied = |file: &str, of: &str| Copied { file: file.into(), of: of.into() };
        let graded = Graded {
            copies: vec![copied("a.rs", "the reference"), copied("b.rs", "the reference")],
            ..hostile::graded("a")
        };
        assert_eq!(copies(&graded), ["2 files (a.rs, b.rs) as in the reference"]);
    }
}
