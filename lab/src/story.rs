//! A failing run that was made smaller, and what happened in it, in words.

use contract::record::Run;
use contract::story::MOST_LINES;
use serde::Serialize;

use crate::term::{BAD, BOLD, DIM, paint};

/// The most lines of what was observed, and the most characters of each.
const OBSERVED: (usize, usize) = (8, 200);

/// The result of a search, as `--json` prints it.
#[derive(Debug, Serialize)]
pub(crate) struct SmallestRun<'a> {
    /// The promise of a solution that the test checks; empty if it is not known.
    pub(crate) claim: &'a str,
    /// The number of accidents in the run of this seed with all of them; `None` if it is not known.
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

impl SmallestRun<'_> {
    /// The run and its story in lines.
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
        if !self.claim.is_empty() {
            lines.push(format!("  claim       {}", self.claim));
        }
        let line = |at: f64, text: &str| format!("  {at:>8.3} s  {}", harmless(text));
        lines.extend(run.story.iter().map(|told| line(told.at, &told.text)));
        if run.story.is_empty() {
            // The run has left no story; at least its accidents are known.
            let accidents = run.accidents.iter().take(MOST_LINES);
            lines.extend(accidents.map(|accident| line(accident.at, &accident.text)));
            let more = run.accidents.len().saturating_sub(MOST_LINES);
            lines.extend((more > 0).then(|| format!("{:14}and {more} more", "")));
        }
        if let Some(failure) = &run.failure {
            let (at, property) = (run.virtual_seconds, &failure.property);
            lines.push(format!("  {at:>8.3} s  {} {}", paint(BAD, "broken:"), harmless(property)));
            let observed = observed_lines(&failure.actual);
            lines.extend(observed.map(|line| format!("{:14}{line}", "")));
        }
        lines
    }

    /// How to see the run again, in two forms.
    pub(crate) fn replay_lines(&self) -> Vec<String> {
        let mut lines = vec![format!("  replay    {}", self.replay)];
        let report = self.run.failure.as_ref().map_or("", |failure| &failure.report);
        lines.extend(report.lines().filter(|line| line.contains(" cargo test -p ")).map(harmless));
        lines
    }
}

/// What was observed, in lines that are not too many and not too long.
pub(crate) fn observed_lines(observed: &str) -> impl Iterator<Item = String> {
    let (most, long) = OBSERVED;
    let lines = observed.lines().take(most);
    lines.map(move |line| harmless(line.trim_end()).chars().take(long).collect())
}

/// What a program says, without what would move the cursor or change colours.
fn harmless(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use contract::accidents::{Accident, AccidentId, AccidentKind};
    use contract::record::Failure;
    use contract::story::Told;

    use super::*;

    /// The lines without colours.
    fn plain(found: &SmallestRun<'_>) -> String {
        anstream::adapter::strip_str(&found.lines().join("\n")).to_string()
    }

    #[test]
    fn a_run_without_story_tells_its_accidents_and_harms_no_terminal() {
        let mut run = Run::new("raft", "2B", "backup_2b", 7, None);
        let accident = |number| Accident {
            id: AccidentId(number),
            kind: AccidentKind::ReplyLost,
            at: 0.5,
            text: format!("reply {number}\r is\x07 lost"),
        };
        run.accidents = (0..30).map(accident).collect();
        run.failure = Some(Failure {
            property: "p\x1b".to_string(),
            actual: format!("\x1b[2Jtwo\u{9b}\n{}", "long ".repeat(100)),
            report: String::new(),
        });
        let (claim, before, after, runs, seconds) = ("", Some(30), 30, 1, 1.0);
        let replay = "again".to_string();
        let found = SmallestRun { claim, before, after, runs, seconds, replay, run: &run };
        // The styles of the program itself are sequences for the terminal, too.
        let bare = |line: &String| line.replace(&paint(BAD, "broken:"), "broken:");
        let lines: Vec<String> = found.lines()[1..].iter().map(bare).collect();
        assert!(lines.iter().all(|line| !line.contains(char::is_control)), "{lines:?}");
        assert_eq!(lines.len(), MOST_LINES + 4, "{lines:?}");
        assert_eq!(lines[0], "     0.500 s  reply 0 is lost");
        assert_eq!(lines[MOST_LINES], "              and 5 more");
        assert_eq!(lines[MOST_LINES + 1], "     0.000 s  broken: p");
        assert_eq!(lines[MOST_LINES + 2], "              [2Jtwo");
        assert_eq!(lines[MOST_LINES + 3].len(), 14 + 200);
    }

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
        let mut found = SmallestRun {
            claim: "Logs agree.",
            before: Some(214),
            after: 1,
            runs: 61,
            seconds: 4.06,
            replay: "again".into(),
            run: &run,
        };
        let expected = "backup_2b fails with 1 of 214 accidents  (seed 7, 61 runs in 4.1 s)
  claim       Logs agree.
     1.204 s  accident: a reply is lost
     4.603 s  broken: one leader per term
              two leaders in term 6
              more";
        assert_eq!(plain(&found), expected);
        let replay = ["  replay    again", "      LAB_SEED=7 cargo test -p raft"];
        assert_eq!(found.replay_lines(), replay);
        found.before = None;
        assert!(plain(&found).starts_with("backup_2b fails with 1 accident  (seed 7"));
        found.after = 0;
        assert!(
            plain(&found).starts_with("backup_2b fails without any accident: the test's script")
        );
    }
}
