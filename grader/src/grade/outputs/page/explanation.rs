//! Why a test fails, as far as the grader knows: the picture of a run, and the smallest one.

use super::entry;
use crate::grade::outputs::frame::{Align, cell, table};
use crate::grade::outputs::markup::Markup;
use crate::grade::outputs::text::PAGES;
use crate::grade::results::{Picture, Smaller, Smallest};

/// A link to the picture of `run`, or the reason why there is none.
pub(super) fn picture(m: &mut Markup, picture: &Picture, run: &str) {
    match picture {
        Picture::Page(page) => {
            // The page of the submission is in the same directory as the directory of its pictures.
            let link = page.strip_prefix(PAGES).map_or(&**page, |page| &page[1..]);
            let text = format!("messages, faults and operations of {run}");
            m.element("a", &[("href", link)], &text);
        }
        Picture::Missing(why) => m.text(&format!("none: {why}")),
    }
}

/// The smallest run that still fails.
pub(super) fn smaller(m: &mut Markup, smaller: &Smaller) {
    match smaller {
        Smaller::Run(run) => story(m, run),
        Smaller::Nothing(why) => {
            m.element("p", &[], &format!("A smaller run that fails was not found: {why}."));
        }
    }
}

/// What happened in the smallest run.
fn story(m: &mut Markup, run: &Smallest) {
    let Smallest { before, after, .. } = run;
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    m.within("p", &[], |m| {
        let headline = match (after, before) {
            (0, _) => {
                "It fails without any accident: the script of the test alone does it.".to_string()
            }
            (_, Some(before)) if after != before => {
                format!("It fails with {after} of {before} accident{}.", plural(*before))
            }
            _ => format!("It fails with {after} accident{}.", plural(*after)),
        };
        m.element("strong", &[], &headline);
        m.text(" It is another run than the one above, and breaks the same property.");
    });
    let columns = [("Time", Align::Right), ("Event", Align::Left)];
    table(m, "The smallest run that fails, in virtual time", &columns, |m| {
        let mut row = |at: f64, text: &str| {
            m.within("tr", &[], |m| {
                cell(m, Align::Right, &format!("{at:.3} s"));
                cell(m, Align::Left, text);
            });
        };
        if run.story.is_empty() {
            run.accidents.iter().for_each(|accident| row(accident.at, &accident.text));
            if let Some(more) = after.checked_sub(run.accidents.len()).filter(|more| *more > 0) {
                row(run.at, &format!("... and {more} more accident{}", plural(more)));
            }
        }
        run.story.iter().for_each(|told| row(told.at, &told.text));
        row(run.at, &format!("Broken: {}", run.property));
    });
    m.within("dl", &[], |m| {
        entry(m, "Observed", &run.actual);
        m.element("dt", &[], "Replay");
        m.within("dd", &[], |m| m.element("code", &[("class", "replay")], &run.replay));
        entry(m, "Trace hash", &run.trace_hash);
        m.element("dt", &[], "Picture");
        m.within("dd", &[], |m| picture(m, &run.picture, "the smallest run"));
    });
}
