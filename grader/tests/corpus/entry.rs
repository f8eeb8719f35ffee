//! What `corpus.toml` says.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Corpus {
    /// Ways to grade, by name.
    pub(crate) plans: BTreeMap<String, Plan>,
    /// The submissions.
    pub(crate) entry: Vec<Entry>,
}

/// How the submissions of a plan are graded.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plan {
    /// The value of `--labs`; all labs if empty.
    #[serde(default)]
    pub(crate) labs: Vec<String>,
    /// The values of `--only`.
    pub(crate) only: Vec<String>,
    /// The value of `--seeds`.
    pub(crate) seeds: u32,
    /// Whether `--no-lint` is used.
    #[serde(default)]
    pub(crate) no_lint: bool,
}

/// A level of protection below the strongest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Level {
    None,
    Landlock,
    Network,
}

impl Level {
    pub(crate) const ALL: [Level; 3] = [Level::Network, Level::Landlock, Level::None];

    /// The value of `--protection`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Level::None => "none",
            Level::Landlock => "landlock",
            Level::Network => "network",
        }
    }

    /// The level in the description of a protection, unless it is the strongest.
    pub(crate) fn of(protection: &str) -> Option<Self> {
        let begin = |level: &Level| match level {
            Level::None => "none",
            Level::Landlock => "Landlock only",
            Level::Network => "Landlock, network namespace,",
        };
        Level::ALL.into_iter().find(|level| protection.starts_with(begin(level)))
    }
}

/// A submission.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    /// The name of its directory or archive.
    pub(crate) id: String,
    /// The plan by which it is graded.
    pub(crate) plan: String,
    /// Whether `cargo test` grades it too, not only the whole corpus.
    #[serde(default)]
    pub(crate) quick: bool,
    /// The sources that it is made from.
    pub(crate) base: Base,
    /// The labs in it; those of the plan if it is empty.
    #[serde(default)]
    pub(crate) labs: Vec<String>,
    /// A patch of the workspace, relative to its root.
    pub(crate) patch: Option<String>,
    /// Code of a module of Raft whose function `begin(me)` each new server calls first.
    pub(crate) attack: Option<String>,
    /// Files to add or to replace.
    #[serde(default)]
    pub(crate) add: BTreeMap<String, String>,
    /// Texts to replace in its files.
    #[serde(default)]
    pub(crate) edit: Vec<Edit>,
    /// Texts to replace in the course's own files, in a copy of the workspace.
    #[serde(default)]
    pub(crate) course: Vec<Edit>,
    /// How it is packed.
    #[serde(default)]
    pub(crate) pack: Pack,
    /// Entries of the archive besides its files, as `kind name`.
    #[serde(default)]
    pub(crate) hostile: Vec<String>,
    /// What is expected, see [`Expected`].
    #[serde(default)]
    expect: BTreeMap<String, Outcome>,
    #[serde(default)]
    words: Vec<String>,
    #[serde(default)]
    ignored: Vec<String>,
    #[serde(default)]
    copies: Vec<String>,
    /// What is expected instead at weaker levels of protection. The entry is graded at each.
    #[serde(default)]
    pub(crate) levels: BTreeMap<Level, Expected>,
    /// Why it is not detected, for entries that do harm and get points.
    pub(crate) undetected: Option<String>,
}

impl Entry {
    /// What is expected at this level, or at the strongest.
    pub(crate) fn expected(&self, level: Option<Level>) -> Expected {
        let Self { expect, words, ignored, copies, .. } = self.clone();
        let usual = Expected { expect, words, ignored, copies };
        level.and_then(|level| self.levels.get(&level).cloned()).unwrap_or(usual)
    }
}

/// The result that a submission should have.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expected {
    /// The score of each lab, or its obstacle. Empty if the whole submission is refused.
    #[serde(default)]
    pub(crate) expect: BTreeMap<String, Outcome>,
    /// Texts in the refusal, in the findings, in the compiler's output or in the first failure of
    /// each test.
    #[serde(default)]
    pub(crate) words: Vec<String>,
    /// Submitted files that are listed as not graded.
    #[serde(default)]
    pub(crate) ignored: Vec<String>,
    /// What its files are copies of.
    #[serde(default)]
    pub(crate) copies: Vec<String>,
}

/// What a lab gets.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Outcome {
    /// Points.
    Score(f64),
    /// `refused`, `does not compile`, `not submitted` or `blocked by LAB`.
    Obstacle(String),
}

/// Sources.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Base {
    Reference,
    Skeleton,
    Empty,
}

/// A text to replace in a file; it must be there once.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Edit {
    pub(crate) file: String,
    pub(crate) find: String,
    pub(crate) replace: String,
}

/// A kind of archive.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Pack {
    #[default]
    Directory,
    Tgz,
    Zip,
}
