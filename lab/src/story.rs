//! What happened in a failing run that was made smaller, in words.

use contract::record::Run;
use serde::Serialize;

use crate::term::{BAD, BOLD, DIM, paint};

/// The most accidents that the story tells.
const MOST_LINES: usize = 40;

/// The result of a search, as `--json` prints it.
#[derive(Debug, Serialize)]
pub(crate) struct Story<'a> {
    /// The number of accidents in the run of this seed with all of them.
    pub(crate) before: usize,
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
        let plural = if *before == 1 { "" } else { "s" };
        let headline = match after {
            0 => {
                format!("{} fails without any accident: the test's script alone does it", run.test)
            }
            _ => format!("{} fails with {after} of {before} accident{plural}", run.test),
        };
        let made = format!("  (seed {}, {runs} runs in {seconds:.1} s)", run.seed);
        let mut lines = vec![format!("{}{}", paint(BOLD, headline), paint(DIM, made))];
        for accident in run.accidents.iter().take(MOST_LINES) {
            lines.push(format!("  {:>8.3} s  {}", accident.at, accident.text));
        }
        if let Some(more) = run.accidents.len().checked_sub(MOST_LINES).filter(|more| *more > 0) {
            lines.push(format!("              and {more} more"));
        }
        if let Some(failure) = &run.failure {
            let (at, property) = (run.virtual_seconds, &failure.property);
            lines.push(format!("  {at:>8.3} s  {} {property}", paint(BAD, "broken:")));
            lines.push(format!("              {}", run.reason()));
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
    use contract::accidents::{Accident, AccidentId, AccidentKind};
    use contract::record::Failure;

    use super::*;

    #[test]
    fn story_tells_what_happened_in_order() {
        let accident = Accident {
            id: AccidentId(7),
            kind: AccidentKind::ReplyLost,
            at: 1.204,
            text: "the reply to AppendEntries from S1 to S0 is lost".to_string(),
        };
        let mut run = Run::new("raft", "2B", "backup_2b", 7, None);
        run.virtual_seconds = 4.603;
        run.accidents = vec![accident];
        run.failure = Some(Failure {
            property: "one leader per term".to_string(),
            actual: "two leaders in term 6\nmore".to_string(),
            report: "  replay  x\n      LAB_SEED=7 cargo test -p raft".to_string(),
        });
        let mut story = Story {
            before: 214,
            after: 1,
            runs: 61,
            seconds: 4.06,
            replay: "again".into(),
            run: &run,
        };
        let plain =
            |story: &Story<'_>| anstream::adapter::strip_str(&story.lines().join("\n")).to_string();
        let expected = "backup_2b fails with 1 of 214 accidents  (seed 7, 61 runs in 4.1 s)
     1.204 s  the reply to AppendEntries from S1 to S0 is lost
     4.603 s  broken: one leader per term
              two leaders in term 6";
        assert_eq!(plain(&story), expected);
        let replay = ["  replay    again", "      LAB_SEED=7 cargo test -p raft"];
        assert_eq!(story.replay_lines(), replay);
        story.after = 0;
        assert!(
            plain(&story).starts_with("backup_2b fails without any accident: the test's script")
        );
    }
}
