//! Which submissions share files, apart from comments and layout.

use std::cmp::Reverse;
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
        let mut groups = Self::whole(class);
        let mut by_print: BTreeMap<&str, (BTreeSet<&str>, BTreeSet<&str>)> = BTreeMap::new();
        for graded in &class.submissions {
            for (file, print) in &graded.files {
                let (ids, files) = by_print.entry(print).or_default();
                ids.insert(&graded.id);
                files.insert(file);
            }
        }
        let mut by_ids: BTreeMap<BTreeSet<&str>, BTreeSet<&str>> = BTreeMap::new();
        for (ids, files) in by_print.into_values().filter(|(ids, _)| ids.len() > 1) {
            by_ids.entry(ids).or_default().extend(files);
        }
        by_ids.retain(|ids, _| !groups.iter().any(|whole| whole.ids.is_superset(ids)));
        let mut others: Vec<Self> =
            by_ids.into_iter().map(|(ids, files)| Self { ids, files, is_whole: false }).collect();
        others.sort_by_key(|group| Reverse(group.files.len()));
        groups.extend(others);
        groups
    }

    /// The submissions all of whose files are the same.
    fn whole(class: &'a Class) -> Vec<Self> {
        let mut by_prints: BTreeMap<BTreeSet<&str>, Self> = BTreeMap::new();
        for graded in class.submissions.iter().filter(|graded| !graded.files.is_empty()) {
            let prints = graded.files.values().map(|print| &**print).collect();
            let empty = || Self { ids: BTreeSet::new(), files: BTreeSet::new(), is_whole: true };
            let group = by_prints.entry(prints).or_insert_with(empty);
            group.ids.insert(&graded.id);
            group.files.extend(graded.files.keys().map(|file| &**file));
        }
        by_prints.into_values().filter(|group| group.ids.len() > 1).collect()
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
            graded("g", &[("raft/src/q.rs", "9")]),
        ]);
        let groups = Group::all(&class);
        let ids: Vec<Vec<&str>> =
            groups.iter().map(|group| group.ids.iter().copied().collect()).collect();
        assert_eq!(ids, [&["c", "d"][..], &["a", "b"], &["c", "d", "g"]]);
        let words = |place: usize| Group::words(&groups, &class.submissions[place]);
        assert_eq!(words(0), ["2 files (raft/src/x.rs, raft/src/z.rs) as in b"]);
        assert_eq!(words(3), ["same sources as c", "raft/src/q.rs as in c, g"]);
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
