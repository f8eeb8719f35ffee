//! What happened in a failing run that was made smaller, in words.

use contract::record::Run;
use contract::story::MOST_LINES;
use serde::Serialize;

use crate::term::{BAD, BOLD, DIM, paint};

/// The most lines of what was observed, of which each has at most so many characters.
const OBSERVED: (usize, usize) = (8, 200);

/// The result of a search, as `--json` prints it.
#[derive(Debug, Serialize)]
pub(crate) struct Story<'a> {
    /// The promise of a solution that the test checks.
    pub(crate) claim: &'a str,
    /// The number of accidents in the run of this seed with all of them; `None` if it takes too long
    /// to count them.
    pub(crate) before: Option<usize>,
    /// The number of accidents that are left.
    pub(crate) after: usize,
    /// The number of runs that the search made.
    pub(crate) runs: usize,
    /// Real time that it took.
    pub(crate) seconds: f64,
    /// The command that replays the run.
    pub(crate) replay: String,
    /// The run.
    pub(crate) run: &'a Run,
}

impl Story<'_> {
    /// The story in lines.
    pub(crate) fn lines(&self) -> Vec<String> {
        let Self { before, after, runs, seconds, run, .. } = self;
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        let headline = match (after, before) {
            (0, _) => "fails without any accident: the test's script alone does it".to_string(),
            (_, Some(before)) => {
                format!("fails with {after} of {before} accident{}", plural(*before))
            }
            (_, None) => format!("fails with {after} accident{}", plural(*after)),
        };
        let headline = format!("{} {headline}", run.test);
        let made = format!("  (seed {}, {runs} runs in {seconds:.1} s)", run.seed);
        let mut lines = vec![format!("{}{}", paint(BOLD, headline), paint(DIM, made))];
        lines.push(format!("  claim       {}", self.claim));
        let line = |at: f64, text: &str| format!("  {at:>8.3} s  {text}");
        lines.extend(run.story.iter().map(|told| line(told.at, &told.text)));
        if run.story.is_empty() {
            // The run has left no story; at least its accidents are known.
            let accidents = run.accidents.iter().take(MOST_LINES);
            lines.extend(accidents.map(|accident| line(accident.at, &accident.text)));
        }
        if let Some(failure) = &run.failure {
            let (at, property) = (run.virtual_seconds, &failure.property);
            lines.push(format!("  {at:>8.3} s  {} {property}", paint(BAD, "broken:")));
            let (most, long) = OBSERVED;
            let observed = failure.actual.lines().take(most);
            lines.extend(observed.map(|line| {
                let line: String = line.trim_end().chars().take(long).collect();
                format!("              {line}")
            }));
        }
        lines
    }

    /// How to see the run again, in two forms.
    pub(crate) fn replay_lines(&self) -> Vec<String> {
        let mut lines = vec![format!("  replay    {}", self.replay)];
        let report = self.run.failure.as_ref().map_or("", |failure| &failure.report);
        lines
            .extend(report.lines().filter(|line| line.contains(" cargo test -p ")).map(Into::into));
        lines
    }
}

#[cfg(test)]
mod tests {
    use contract::record::Failure;
    use contract::story::Told;

    use super::*;

    #[test]
    fn story_tells_what_happened_in_order() {
        let mut run = Run::new("raft", "2B", "backup_2b", 7, None);
        run.virtual_seconds = 4.603;
        run.story = vec![Told { at: 1.204, text: "accident: a reply is lost".to_string() }];
        run.failure = Some(Failure {
            property: "one leader per term".to_string(),
            actual: "two leaders in term 6\nmore".to_string(),
            report: "  replay  x\n      LAB_SEED=7 cargo test -p raft".to_string(),
        });
        let mut story = Story {
            claim: "Logs agree.",
            before: Some(214),
            after: 1,
            runs: 61,
            seconds: 4.06,
            replay: "again".into(),
            run: &run,
        };
        let plain =
            |story: &Story<'_>| anstream::adapter::strip_str(&story.lines().join("\n")).to_string();
        let expected = "backup_2b fails with 1 of 214 accidents  (seed 7, 61 runs in 4.1 s)
  claim       Logs agree.
     1.204 s  accident: a reply is lost
     4.603 s  broken: one leader per term
              two leaders in term 6
              more";
        assert_eq!(plain(&story), expected);
        let replay = ["  replay    again", "      LAB_SEED=7 cargo test -p raft"];
        assert_eq!(story.replay_lines(), replay);
        story.before = None;
        assert!(plain(&story).starts_with("backup_2b fails with 1 accident  (seed 7"));
        story.after = 0;
        assert!(
            plain(&story).starts_with("backup_2b fails without any accident: the test's script")
        );
    }
}
