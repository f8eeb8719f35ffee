//! The results of the patches, as text and as JSON.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use contract::record::{Exit, seed_and_policy};
use contract::settings::Policy;
use judge::Error;
use serde::Serialize;

use super::cause::{Named, Reading};
use super::patch::Patch;
use super::sweep::{Failure, Sweep};

/// Incremented when a field of [`Report`] changes its meaning or is removed.
const VERSION: u32 = 1;

/// All results of a command; the schema of `--json`.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    version: u32,
    /// `bugs` or `variants`.
    command: &'static str,
    /// Whether patches are missing because the user interrupted the command.
    interrupted: bool,
    pub(crate) patches: Vec<PatchReport>,
}

/// The result of a patch.
#[derive(Debug, Serialize)]
pub(crate) struct PatchReport {
    /// The package.
    pub(crate) lab: String,
    /// The patch.
    pub(crate) name: String,
    /// The first sentence of its description.
    pub(crate) headline: String,
    #[serde(flatten)]
    pub(crate) fate: Fate,
    /// What the report of its first kill says of it; `null` if it has none, or the patch does not
    /// say what it should.
    pub(crate) named: Option<Named>,
    /// The number of test runs.
    pub(crate) runs: u64,
    /// Seconds of real time, including the build.
    pub(crate) seconds: f64,
    /// Failures that the reference shares: these tests are wrong and prove nothing.
    pub(crate) broken_tests: Vec<Kill>,
    /// The last round of a bug, by test; empty for variants.
    pub(crate) sweeps: Vec<Sweep>,
}

/// The outcome of a patch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "fate", content = "details", rename_all = "kebab-case")]
pub(crate) enum Fate {
    /// A test failed for a bug.
    Killed {
        /// The number of seeds up to the first failure.
        seeds: u64,
        /// The tests that failed in the last round, by seed.
        kills: Vec<Kill>,
    },
    /// No test failed for a bug.
    Survived,
    /// All tests accept a variant.
    Accepted,
    /// Some tests refuse a variant.
    Refused(Vec<Kill>),
    /// A checker reached its limit.
    Inconclusive,
    /// With git's message.
    DoesNotApply(String),
    /// With the compiler's message.
    DoesNotCompile(String),
}

/// A run that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Kill {
    pub(crate) test: String,
    pub(crate) seed: u64,
    /// The policy; `null` for a test with processes.
    pub(crate) policy: Option<Policy>,
    /// What the test observed.
    pub(crate) why: String,
    /// What a student reads.
    pub(crate) reading: Reading,
}

impl Kill {
    /// A failure of a test under this policy.
    pub(crate) fn new(sweep: &Sweep, failure: &Failure, policy: Policy) -> Self {
        let Failure { seed, why, reading } = failure.clone();
        let policy = (!sweep.real).then_some(policy);
        Self { test: sweep.test.clone(), seed, policy, why, reading }
    }

    /// The run as `cargo lab replay` takes it.
    fn run(&self) -> String {
        seed_and_policy(self.seed, self.policy)
    }
}

impl PatchReport {
    /// A report without results.
    pub(crate) fn new(patch: &Patch) -> Self {
        Self {
            lab: patch.lab.clone(),
            name: patch.name.clone(),
            headline: patch.headline().to_string(),
            fate: Fate::Inconclusive,
            named: None,
            runs: 0,
            seconds: 0.0,
            broken_tests: Vec::new(),
            sweeps: Vec::new(),
        }
    }

    /// The result in one line, or more if something is wrong.
    pub(crate) fn line(&self) -> String {
        let name = format!("{}/{}", self.lab, self.name);
        let mut text = format!("{name:<46} ");
        match &self.fate {
            Fate::Killed { seeds, kills } => {
                let names: Vec<&str> = kills.iter().take(3).map(|kill| &*kill.test).collect();
                let more = kills.len().saturating_sub(names.len());
                let and_more = if more > 0 { format!(" and {more} more") } else { String::new() };
                let names = names.join(", ");
                let why = kills.first().map_or("", |kill| &kill.why);
                text += &format!("killed by seed {seeds:<3} {names}{and_more}: {why}");
            }
            Fate::Survived => text += &format!("SURVIVED {} runs", self.runs),
            Fate::Accepted => text += &format!("passes {} runs", self.runs),
            Fate::Refused(kills) => text += &refusals(kills, self.runs),
            Fate::Inconclusive => text += "INCONCLUSIVE: a checker reached its limit",
            Fate::DoesNotApply(why) => {
                text += &format!("DOES NOT APPLY: {}", why.replace('\n', "; "));
            }
            Fate::DoesNotCompile(why) => text += &format!("DOES NOT COMPILE\n{why}"),
        }
        text += self.missing_words();
        for kill in &self.broken_tests {
            let (Kill { test, why, .. }, run) = (kill, kill.run());
            text += &format!("\n    the reference also fails {test}: {run}: {why}");
        }
        text
    }

    /// What the report of a killed bug should say and does not.
    fn missing_words(&self) -> &'static str {
        match self.named {
            None | Some(Named { property: true, cause: true }) => "",
            Some(Named { property: false, cause: true }) => "\n    does not name the property",
            Some(Named { property: true, cause: false }) => "\n    does not name the cause",
            Some(Named { property: false, cause: false }) => {
                "\n    names neither the property nor the cause"
            }
        }
    }

    /// The exit code for this patch.
    fn exit(&self) -> Exit {
        let exit = match self.fate {
            Fate::Killed { .. } | Fate::Accepted => Exit::Passed,
            Fate::Survived | Fate::Refused(_) => Exit::Failed,
            Fate::Inconclusive => Exit::Inconclusive,
            Fate::DoesNotApply(_) => Exit::Harness,
            Fate::DoesNotCompile(_) => Exit::DoesNotCompile,
        };
        if self.broken_tests.is_empty() { exit } else { Exit::Harness }
    }
}

/// The tests that refuse a variant, the number of failures, and one run of each to replay.
fn refusals(kills: &[Kill], runs: u64) -> String {
    let mut text = format!("FAILS {} of {runs} runs", kills.len());
    let mut groups: Vec<(&str, Vec<&Kill>)> = Vec::new();
    for kill in kills {
        match groups.iter_mut().find(|(test, _)| *test == kill.test) {
            Some((_, group)) => group.push(kill),
            None => groups.push((&kill.test, vec![kill])),
        }
    }
    for (test, group) in groups {
        let (times, run, why) = (group.len(), group[0].run(), &group[0].why);
        write!(text, "\n    {test}: {times} times, for example {run}: {why}")
            .expect("writing to a String cannot fail");
    }
    text
}

impl Report {
    /// The results of a command.
    pub(crate) fn new(command: &'static str, patches: Vec<PatchReport>, interrupted: bool) -> Self {
        Self { version: VERSION, command, interrupted, patches }
    }

    /// The exit code of the command.
    pub(crate) fn exit(&self) -> Exit {
        let interrupted = self.interrupted.then_some(Exit::Interrupted);
        let exits = self.patches.iter().map(PatchReport::exit).chain(interrupted);
        exits.max().unwrap_or(Exit::Passed)
    }

    /// The number of patches with each outcome.
    pub(crate) fn summary(&self) -> String {
        if self.patches.is_empty() {
            return format!("interrupted before any of the {} was finished", self.command);
        }
        let count =
            |is: fn(&Fate) -> bool| self.patches.iter().filter(|patch| is(&patch.fate)).count();
        let counts = [
            (count(|fate| matches!(fate, Fate::Killed { .. })), "killed"),
            (count(|fate| matches!(fate, Fate::Survived)), "survived"),
            (count(|fate| matches!(fate, Fate::Accepted)), "accepted"),
            (count(|fate| matches!(fate, Fate::Refused(_))), "refused"),
            (count(|fate| matches!(fate, Fate::Inconclusive)), "inconclusive"),
            (count(|fate| matches!(fate, Fate::DoesNotApply(_))), "do not apply"),
            (count(|fate| matches!(fate, Fate::DoesNotCompile(_))), "do not compile"),
        ];
        let counts = counts.iter().filter(|(count, _)| *count > 0);
        let counts: Vec<String> = counts.map(|(count, what)| format!("{count} {what}")).collect();
        let seconds: f64 = self.patches.iter().map(|patch| patch.seconds).sum();
        let (all, counts) = (self.patches.len(), counts.join(", "));
        let named = self.named();
        format!("{all} {}: {counts} in {seconds:.0} s{named}", self.command)
    }

    /// How many reports lead to the cause.
    fn named(&self) -> String {
        let named: Vec<Named> = self.patches.iter().filter_map(|patch| patch.named).collect();
        if named.is_empty() {
            return String::new();
        }
        let properties = named.iter().filter(|named| named.property).count();
        let causes = named.iter().filter(|named| named.cause).count();
        let all = named.len();
        format!("\nof {all} reports, {properties} name the property and {causes} the cause")
    }

    /// Writes everything as JSON.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(crate) fn write_json(&self, path: &Path) -> Result<(), Error> {
        let mut json = serde_json::to_string_pretty(self).expect("a report has only plain fields");
        json.push('\n');
        fs::write(path, json).map_err(Error::file("write", path))
    }

    /// A table of all bugs and tests with the number of failed runs.
    pub(crate) fn matrix(&self) -> String {
        let mut tests: Vec<&str> =
            self.patches.iter().flat_map(|patch| &patch.sweeps).map(|sweep| &*sweep.test).collect();
        tests.sort_unstable();
        tests.dedup();
        let mut text = String::new();
        for (number, test) in (1..).zip(&tests) {
            text += &format!("{number:>4} {test}\n");
        }
        text += &format!("{:<46}", "failed runs of each test");
        (1..=tests.len()).for_each(|number| text += &format!(" {number:>4}"));
        for patch in &self.patches {
            text += &format!("\n{:<46}", format!("{}/{}", patch.lab, patch.name));
            for test in &tests {
                let sweep = patch.sweeps.iter().find(|sweep| sweep.test == *test);
                let failures = sweep.map_or(0, |sweep| sweep.failures.len());
                let cell = if failures == 0 { ".".to_string() } else { failures.to_string() };
                text += &format!(" {cell:>4}");
            }
        }
        text
    }
}
