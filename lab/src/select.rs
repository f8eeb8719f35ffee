//! Selects tests by patterns: a lab, a part, a test's name or a piece of it, in either case.

use judge::Error;
use judge::catalog::{Catalog, Entry, Lab};

/// The tests that the patterns of a command line select.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Selection {
    /// An empty list selects everything.
    patterns: Vec<String>,
}

impl Selection {
    /// Selects the tests that match any of `patterns`; all tests if there are none or one is `all`.
    pub(crate) fn new(patterns: &[String]) -> Self {
        let all = patterns.iter().any(|pattern| matches!(squash(pattern).as_str(), "" | "all"));
        Self { patterns: if all { Vec::new() } else { patterns.to_vec() } }
    }

    /// A short name for directories: `2A`, `raft+figure8_2c`, `all`.
    pub(crate) fn label(&self) -> String {
        if self.patterns.is_empty() {
            return "all".to_string();
        }
        let name = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
        let label = self.patterns.join("+");
        label.chars().map(|c| if c == '+' { c } else { name(c) }).take(40).collect()
    }

    /// The labs that must be built.
    ///
    /// # Errors
    /// If a pattern matches no test; the error names the pattern.
    pub(crate) fn labs<'a>(&self, catalog: &'a Catalog) -> Result<Vec<&'a Lab>, Error> {
        for pattern in &self.patterns {
            let known = catalog.labs.iter().any(|lab| names_lab(pattern, lab))
                || catalog.entries().any(|entry| self.meaning(pattern, catalog).includes(entry));
            if !known {
                return Err(nothing_matched(pattern, catalog));
            }
        }
        let wanted = |lab: &&Lab| {
            if self.patterns.is_empty() {
                return !lab.health_check;
            }
            self.patterns.iter().any(|pattern| names_lab(pattern, lab))
                || catalog
                    .entries()
                    .any(|entry| entry.lab.name == lab.name && self.includes_entry(entry, catalog))
        };
        Ok(catalog.labs.iter().filter(wanted).collect())
    }

    /// Whether a test of a built lab is selected. `part` is the part that its name ends with.
    pub(crate) fn includes(&self, lab: &Lab, part: &str, test: &str, catalog: &Catalog) -> bool {
        self.patterns.is_empty()
            || self.patterns.iter().any(|pattern| {
                names_lab(pattern, lab)
                    || squash(pattern) == squash(part)
                    || self.meaning(pattern, catalog).includes_name(test)
            })
    }

    /// Whether a test of the catalog is selected.
    pub(crate) fn includes_entry(&self, entry: Entry<'_>, catalog: &Catalog) -> bool {
        self.includes(entry.lab, &entry.part.name, &entry.test.name, catalog)
    }

    /// The meaning of a pattern: an exact name takes precedence over a piece of a name.
    fn meaning(&self, pattern: &str, catalog: &Catalog) -> Meaning {
        let exact = Meaning::Exact(squash(pattern));
        if catalog.entries().any(|entry| exact.includes(entry)) {
            exact
        } else {
            Meaning::Piece(squash(pattern))
        }
    }
}

/// The meaning of a pattern that does not name a lab.
enum Meaning {
    /// The part or test with this name.
    Exact(String),
    /// All tests whose name contains this.
    Piece(String),
}

impl Meaning {
    /// Whether a test of the catalog matches.
    fn includes(&self, entry: Entry<'_>) -> bool {
        let part = matches!(self, Meaning::Exact(name) if *name == squash(&entry.part.name));
        part || self.includes_name(&entry.test.name)
    }

    /// Whether the test with this name matches. The course's names, such as `TestFigure82C`, match
    /// too.
    fn includes_name(&self, test: &str) -> bool {
        let test = squash(test);
        match self {
            Meaning::Exact(name) => *name == test || name.strip_prefix("test") == Some(&test),
            Meaning::Piece(piece) => piece.len() > 1 && test.contains(piece),
        }
    }
}

/// Whether a pattern is the name or the number of a lab.
fn names_lab(pattern: &str, lab: &Lab) -> bool {
    let pattern = squash(pattern);
    pattern == squash(&lab.name) || (!lab.number.is_empty() && pattern == squash(&lab.number))
}

/// A name in lower case, without separators and module path, so that the printed form
/// `initial election` matches.
fn squash(name: &str) -> String {
    let name = name.rsplit("::").next().unwrap_or(name);
    name.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}

/// The error for a pattern that matches no test. It lists the labs and parts.
fn nothing_matched(pattern: &str, catalog: &Catalog) -> Error {
    let labs: Vec<&str> = catalog.labs.iter().map(|lab| &*lab.name).collect();
    let parts: Vec<&str> =
        catalog.labs.iter().flat_map(|lab| &lab.parts).map(|part| &*part.name).collect();
    Error::NothingMatched(format!(
        "'{pattern}' matches no test. Labs: {}. Parts: {}. `cargo lab list` lists the tests.",
        labs.join(", "),
        parts.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A catalog with one lab of two parts, and a health check.
    fn catalog() -> Catalog {
        Catalog::parse(
            r#"
            lab = [
              { name = "raft", number = "2", title = "", part = [
                { name = "2A", title = "", paper = "", test = [
                  { name = "initial_election_2a", points = 1, claim = "", script = "" }] },
                { name = "2C", title = "", paper = "", test = [
                  { name = "figure8_2c", points = 1, claim = "", script = "" },
                  { name = "figure8_unreliable_2c", points = 1, claim = "", script = "" }] }] },
              { name = "labrpc", title = "", health_check = true }]"#,
        )
        .unwrap()
    }

    /// The tests that these patterns mean, or the error's text.
    fn meant(patterns: &[&str]) -> Result<Vec<String>, String> {
        let catalog = catalog();
        let patterns: Vec<String> = patterns.iter().map(|pattern| pattern.to_string()).collect();
        let selection = Selection::new(&patterns);
        selection.labs(&catalog).map_err(|error| error.to_string())?;
        let entries = catalog.entries().filter(|entry| selection.includes_entry(*entry, &catalog));
        Ok(entries.map(|entry| entry.test.name.clone()).collect())
    }

    #[test]
    fn names_in_either_case() {
        let all = ["initial_election_2a", "figure8_2c", "figure8_unreliable_2c"];
        for everything in [&[][..], &["all"], &["raft"], &["Raft"], &["2"], &["2a", "2C"]] {
            assert_eq!(meant(everything).unwrap(), all, "{everything:?}");
        }
        for one in [
            "2A",
            "2a",
            "INITIAL_election_2a",
            "election_2a::initial_election_2a",
            "initial election",
        ] {
            assert_eq!(meant(&[one]).unwrap(), ["initial_election_2a"], "{one}");
        }
    }

    #[test]
    fn an_exact_name_wins_over_a_piece() {
        assert_eq!(meant(&["figure8_2c"]).unwrap(), ["figure8_2c"]);
        assert_eq!(meant(&["TestFigure82C"]).unwrap(), ["figure8_2c"]);
        assert_eq!(meant(&["figure8"]).unwrap(), ["figure8_2c", "figure8_unreliable_2c"]);
    }

    #[test]
    fn nothing_matched_is_an_error_that_helps() {
        let error = meant(&["2A", "2Z"]).unwrap_err();
        assert!(error.starts_with("'2Z' matches no test. Labs: raft, labrpc. Parts: 2A, 2C."));
    }

    #[test]
    fn health_checks_run_only_when_named() {
        let catalog = catalog();
        let labs = |patterns: &[String]| {
            let labs = Selection::new(patterns).labs(&catalog).unwrap();
            labs.iter().map(|lab| lab.name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(labs(&[]), ["raft"]);
        assert_eq!(labs(&["labrpc".into()]), ["labrpc"]);
    }
}
