//! The page of a submission, for the student: what the score consists of, and what to do about it.
//! It names no other submission.

mod explanation;

use super::frame::{self, Align, cell, list, printed, table};
use super::markup::Markup;
use super::text::headline;
use crate::grade::results::{FailedRun, Graded, LabResult, Obstacle, PartResult, TestResult};
use crate::grade::scorecard::{number, obstacle, outcome};

/// The page.
pub(super) fn html(graded: &Graded) -> String {
    frame::page(&format!("{} - results", graded.id), None, |m| {
        m.element("h1", &[], &graded.id);
        let score = format!("{} of {} points", number(graded.score), graded.points);
        m.element("p", &[("class", "score")], &score);
        notices(m, graded);
        if graded.refused.is_none() {
            overview(m, graded);
        }
        graded.labs.iter().for_each(|lab| of_lab(m, lab));
        files(m, graded);
        repeat(m, graded);
        circumstances(m, graded);
    })
}

/// What a reader must know first.
fn notices(m: &mut Markup, graded: &Graded) {
    if let Some(reason) = &graded.refused {
        m.within("p", &[("class", "note")], |m| {
            m.element("strong", &[], "The submission was refused, and nothing in it was graded: ");
            m.text(reason);
        });
    }
    if graded.pending {
        m.within("p", &[("class", "note")], |m| {
            m.element("strong", &[], "The score is not final. ");
            m.text("Some runs were prevented by the machine, or a checker reached its limit. ");
            m.text("The staff looks at them.");
        });
    }
}

/// The table of labs and parts.
fn overview(m: &mut Markup, graded: &Graded) {
    m.element("h2", &[], "Score");
    let columns = [
        ("Lab and part", Align::Left),
        ("Clean tests", Align::Right),
        ("Score", Align::Right),
        ("Points", Align::Right),
    ];
    table(m, "Scores; a test is clean if no run failed", &columns, |m| {
        for lab in &graded.labs {
            m.within("tr", &[("class", "sum")], |m| {
                m.within("th", &[("scope", "row")], |m| {
                    m.element("a", &[("href", &format!("#{}", lab.lab))], &lab.title);
                });
                let count = match &lab.obstacle {
                    Some(why) => obstacle(why),
                    None => clean(lab.tests()),
                };
                row(m, &count, lab.score, lab.points);
            });
            for part in lab.parts.iter().filter(|_| lab.obstacle.is_none()) {
                m.within("tr", &[], |m| {
                    let title = format!("{} {}", part.part, part.title);
                    m.element("th", &[("scope", "row"), ("class", "part")], &title);
                    row(m, &clean(part.tests.iter()), part.score, part.points);
                });
            }
        }
        m.within("tr", &[("class", "sum")], |m| {
            m.element("th", &[("scope", "row")], "Total");
            row(m, "", graded.score, graded.points);
        });
    });
}

fn row(m: &mut Markup, count: &str, score: f64, points: u32) {
    cell(m, Align::Right, count);
    cell(m, Align::Right, &number(score));
    cell(m, Align::Right, &points.to_string());
}

/// `10 of 12`.
fn clean<'a>(tests: impl Iterator<Item = &'a TestResult>) -> String {
    let tests: Vec<_> = tests.collect();
    let clean = tests.iter().filter(|test| test.failed + test.unknown + test.prevented == 0);
    format!("{} of {}", clean.count(), tests.len())
}

/// The section of a lab.
fn of_lab(m: &mut Markup, lab: &LabResult) {
    m.element("h2", &[("id", &lab.lab)], &lab.title);
    if let Some(why) = &lab.obstacle {
        m.within("p", &[("class", "note")], |m| {
            m.element("strong", &[], "No test was run: ");
            m.text(&obstacle(why));
            m.text(".");
        });
        match why {
            Obstacle::DoesNotCompile(output) => printed(m, "Output of the compiler", output),
            Obstacle::NotBuilt(why) => printed(m, "Why it could not be built", why),
            Obstacle::NotSubmitted | Obstacle::Refused | Obstacle::BlockedBy(_) => {}
        }
    }
    if !lab.findings.is_empty() {
        m.element("p", &[], "The check of the sources found:");
        list(m, &lab.findings);
    }
    if lab.obstacle.is_none() {
        lab.parts.iter().for_each(|part| of_part(m, part));
    }
}

/// The table of a part, and its failed tests.
fn of_part(m: &mut Markup, part: &PartResult) {
    m.element("h3", &[], &format!("{} {}", part.part, part.title));
    let columns = [
        ("Test", Align::Left),
        ("Result", Align::Left),
        ("Score", Align::Right),
        ("Points", Align::Right),
    ];
    table(m, &format!("Tests of part {}", part.part), &columns, |m| {
        for test in &part.tests {
            m.within("tr", &[], |m| {
                m.within("th", &[("scope", "row")], |m| {
                    let name = |m: &mut Markup| m.element("code", &[], &test.test);
                    match test.failures.is_empty() {
                        true => name(m),
                        false => m.within("a", &[("href", &format!("#{}", test.test))], name),
                    }
                });
                m.element("td", &[("class", class(test))], &outcome(test));
                cell(m, Align::Right, &number(test.score));
                cell(m, Align::Right, &test.points.to_string());
            });
        }
    });
    part.tests.iter().filter(|test| !test.failures.is_empty()).for_each(|test| failed(m, test));
}

/// The colour of a result, which its words say as well.
fn class(test: &TestResult) -> &'static str {
    match (test.failed, test.unknown + test.prevented) {
        (1.., _) => "bad",
        (_, 1..) => "warn",
        _ if test.runs == Some(0) => "muted",
        _ => "good",
    }
}

/// A test with failed runs.
fn failed(m: &mut Markup, test: &TestResult) {
    m.within("section", &[("class", "failure"), ("aria-labelledby", &test.test)], |m| {
        m.element("h4", &[("id", &test.test)], &test.test);
        m.within("p", &[], |m| {
            m.element("strong", &[("class", "bad")], &outcome(test));
            let lost = f64::from(test.points) - test.score;
            let percent = lost / f64::from(test.points.max(1)) * 100.0;
            let all = test.seeds.len();
            m.text(&format!(": -{} points (-{percent:.0} %). ", number(lost)));
            if test.runs.is_some_and(|runs| runs < all) {
                m.text(&format!("No points were left, so not all {all} seeds were needed."));
            }
        });
        m.within("dl", &[], |m| entry(m, "Claim", &test.claim));
        for (place, failure) in test.failures.iter().enumerate() {
            run(m, failure, place == 0);
        }
    });
}

/// A failed run. The first one is shown, the others can be opened.
fn run(m: &mut Markup, failure: &FailedRun, is_first: bool) {
    let observed = headline(&failure.actual);
    let attributes: &[_] = if is_first { &[("open", "")] } else { &[] };
    m.within("details", attributes, |m| {
        m.element("summary", &[], &format!("Seed {}: {observed}", failure.seed));
        m.within("dl", &[], |m| {
            for (name, text) in [
                ("Property", &*failure.property),
                ("Observed", &*failure.actual),
                ("Kind", failure.kind.as_deref().unwrap_or_default()),
            ] {
                entry(m, name, text);
            }
            m.element("dt", &[], "Replay");
            m.within("dd", &[], |m| m.element("code", &[("class", "replay")], &failure.replay));
            if failure.policy.is_some() {
                entry(m, "Trace hash", &failure.trace_hash);
            }
            if let Some(picture) = &failure.picture {
                m.element("dt", &[], "Picture");
                m.within("dd", &[], |m| explanation::picture(m, picture, "this run"));
            }
        });
        if let Some(smaller) = &failure.smaller {
            explanation::smaller(m, smaller);
        }
        if !failure.report.is_empty() {
            m.within("details", &[], |m| {
                m.element("summary", &[], "Report");
                printed(m, "Report", failure.report.trim_end());
            });
        }
    });
}

/// An entry of a list of properties, unless it is empty.
fn entry(m: &mut Markup, name: &str, text: &str) {
    if !text.is_empty() {
        m.element("dt", &[], name);
        m.element("dd", &[], text);
    }
}

/// Files that were not graded.
fn files(m: &mut Markup, graded: &Graded) {
    if !graded.ignored.is_empty() {
        m.element("h2", &[], "Files that were not graded");
        m.element(
            "p",
            &[],
            "Only the sources of the labs count; tests and manifests are the course's own.",
        );
        list(m, &graded.ignored);
    }
}

/// How to repeat a failure at home.
fn repeat(m: &mut Markup, graded: &Graded) {
    let failures = || graded.labs.iter().flat_map(LabResult::tests).flat_map(|test| &test.failures);
    if failures().next().is_none() {
        return;
    }
    m.element("h2", &[], "How to repeat a failure");
    m.within("ol", &[], |m| {
        m.within("li", &[], |m| {
            m.text("Take the handout of release ");
            m.element("code", &[], &graded.with.release);
            m.text(" (see the line ");
            m.element("code", &[], "release");
            m.text(" in its handout.toml) with the sources that were submitted.");
        });
        m.within("li", &[], |m| {
            m.text("Run the replay line of a failed run. A simulation repeats exactly: the ");
            m.text("verdict and the trace hash are those on this page.");
        });
        m.within("li", &[], |m| {
            m.text("Change the code. The seed then leads to another run, so one pass proves ");
            m.text("nothing: run many seeds with ");
            m.element("code", &[], "cargo lab stress TEST -n 300");
            m.text(".");
        });
    });
    if failures().any(|failure| failure.policy.is_none()) {
        m.within("p", &[], |m| {
            m.text("A test with processes runs in real time, and its seed does not repeat a run: ");
            m.text("run it several times with ");
            m.element("code", &[], "cargo lab stress TEST -n 20");
            m.text(".");
        });
    }
    if !graded.with.reference.is_empty() {
        let labs = graded.with.reference.join(", ");
        let text = "These labs were replaced by the reference solution, so failures of the labs \
                    above them may not repeat: ";
        m.element("p", &[], &format!("{text}{labs}."));
    }
}

/// Where the tests come from, and what ran them.
fn circumstances(m: &mut Markup, graded: &Graded) {
    m.element("h2", &[], "How it was graded");
    let with = &graded.with;
    m.within("dl", &[], |m| {
        for (name, text) in [
            ("Sources", &*graded.tree),
            ("Version of the course", &*with.version),
            ("Release", &*with.release),
            ("Compiler", &*with.compiler),
            ("Protection", &*with.protection()),
            ("On the reference of", &*with.reference.join(", ")),
            ("Processor time of the runs", &*format!("{:.1} s", graded.cpu_seconds)),
        ] {
            entry(m, name, text);
        }
    });
    m.within("p", &[], |m| {
        m.text("A test has a number of seeds K. Each failed run costs 4/K of the test's points. ");
        m.text("The file docs/grading.md of the handout explains scores and how to dispute one.");
    });
}
