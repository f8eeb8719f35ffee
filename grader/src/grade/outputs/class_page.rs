//! The page of the class, for the staff.

use std::collections::BTreeSet;

use super::class::Class;
use super::frame::{self, Align, cell, table};
use super::markup::Markup;
use super::shared::Group;
use super::statistics::{Hardness, bin_name, flags, hardest, histogram, mean_and_median};
use super::text::page_of;
use crate::grade::results::{Graded, LabResult};
use crate::grade::scorecard::{number, outcome};

/// Sorts tables. Without it, the page has the same contents.
const SCRIPT: &str = include_str!("sort.js");

/// The number of hardest tests that are shown at once.
const HARDEST: usize = 12;

/// The page.
pub(super) fn html(class: &Class) -> String {
    frame::page("Results of the class", Some(SCRIPT), |m| {
        m.element("h1", &[], "Results of the class");
        m.element("p", &[("class", "muted")], "For the staff: this page names all submissions.");
        if class.plans().len() > 1 {
            m.within("p", &[("class", "note")], |m| {
                m.element("strong", &[], "The scores cannot be compared. ");
                m.text("These results come from different releases, seeds, labs or compilers.");
            });
        }
        summary(m, class);
        totals(m, class);
        labs(m, class);
        tests(m, class);
        flagged(m, class);
        pending(m, class);
        identical(m, class);
        submissions(m, class);
    })
}

/// A few numbers.
fn summary(m: &mut Markup, class: &Class) {
    let all = &class.submissions;
    let count = |what: fn(&&Graded) -> bool| all.iter().filter(what).count().to_string();
    let scores: Vec<f64> = all.iter().map(|graded| graded.score).collect();
    let points = all.iter().map(|graded| graded.points).max().unwrap_or_default();
    let (mean, median) = mean_and_median(scores).unwrap_or_default();
    let cpu: f64 = all.iter().map(|graded| graded.cpu_seconds).sum();
    m.within("dl", &[], |m| {
        for (name, value) in [
            ("Submissions", all.len().to_string()),
            ("Points", points.to_string()),
            ("Mean", number(mean)),
            ("Median", number(median)),
            ("Refused", count(|graded| graded.refused.is_some())),
            ("Pending", count(|graded| graded.pending)),
            ("Processor time of the runs", format!("{cpu:.0} s")),
        ] {
            m.element("dt", &[], name);
            m.element("dd", &[], &value);
        }
    });
}

/// The histogram, as a picture and as a table.
fn totals(m: &mut Markup, class: &Class) {
    m.element("h2", &[], "Totals");
    let bins = histogram(class);
    picture(m, &bins);
    m.within("details", &[], |m| {
        m.element("summary", &[], "The histogram as a table");
        let columns = [("Share of the points", Align::Left), ("Submissions", Align::Right)];
        table(m, "Submissions by their share of the points", &columns, |m| {
            for (bin, count) in bins.iter().enumerate() {
                m.within("tr", &[], |m| {
                    m.element("th", &[("scope", "row")], &bin_name(bin));
                    cell(m, Align::Right, &count.to_string());
                });
            }
        });
    });
}

/// The histogram: a bar per bin, with its count above it.
fn picture(m: &mut Markup, bins: &[usize]) {
    const WIDTH: usize = 62;
    const HEIGHT: usize = 160;
    let most = bins.iter().copied().max().unwrap_or(0).max(1);
    let width = WIDTH * bins.len();
    let size = format!("0 0 {width} {}", HEIGHT + 48);
    let attributes = [
        ("viewBox", &*size),
        ("width", &*width.to_string()),
        ("role", "img"),
        ("aria-label", "Histogram of the totals; the same numbers are in the table below."),
    ];
    m.within("svg", &attributes, |m| {
        for (bin, count) in bins.iter().enumerate() {
            let (left, height) = (bin * WIDTH, HEIGHT * count / most);
            let top = (24 + HEIGHT - height).to_string();
            let middle = (left + WIDTH / 2).to_string();
            let rect = [
                ("x", &*(left + 5).to_string()),
                ("y", &*top),
                ("width", &*(WIDTH - 10).to_string()),
                ("height", &*height.to_string()),
            ];
            m.empty("rect", &rect);
            let above = (24 + HEIGHT - height - 6).to_string();
            let number = if *count > 0 { count.to_string() } else { String::new() };
            m.element("text", &[("x", &middle), ("y", &above)], &number);
            let below = (HEIGHT + 42).to_string();
            m.element("text", &[("x", &middle), ("y", &below)], &bin_name(bin));
        }
        let ground = (24 + HEIGHT).to_string();
        let line = [("x1", "0"), ("y1", &*ground), ("x2", &*width.to_string()), ("y2", &*ground)];
        m.empty("line", &line);
    });
}

/// The labs and parts.
fn labs(m: &mut Markup, class: &Class) {
    m.element("h2", &[], "Labs");
    let columns = [
        ("Lab and part", Align::Left),
        ("Tested", Align::Right),
        ("Full points", Align::Right),
        ("Mean", Align::Right),
        ("Median", Align::Right),
        ("Points", Align::Right),
    ];
    let Some(model) = class.submissions.iter().max_by_key(|graded| graded.labs.len()) else {
        return;
    };
    table(m, "Scores of the submissions of which the lab was tested", &columns, |m| {
        for (place, lab) in model.labs.iter().enumerate() {
            let tested: Vec<&LabResult> = class
                .submissions
                .iter()
                .filter_map(|graded| graded.labs.get(place))
                .filter(|other| other.lab == lab.lab && other.obstacle.is_none())
                .collect();
            let scores = tested.iter().map(|lab| lab.score).collect();
            m.within("tr", &[("class", "sum")], |m| {
                m.element("th", &[("scope", "row")], &lab.title);
                numbers(m, scores, lab.points);
            });
            for (place, part) in lab.parts.iter().enumerate() {
                let parts = tested.iter().filter_map(|lab| lab.parts.get(place));
                let scores = parts.map(|part| part.score).collect();
                m.within("tr", &[], |m| {
                    let title = format!("{} {}", part.part, part.title);
                    m.element("th", &[("scope", "row"), ("class", "part")], &title);
                    numbers(m, scores, part.points);
                });
            }
        }
    });
}

fn numbers(m: &mut Markup, scores: Vec<f64>, points: u32) {
    let full = scores.iter().filter(|score| **score >= f64::from(points)).count();
    cell(m, Align::Right, &scores.len().to_string());
    cell(m, Align::Right, &full.to_string());
    let averages = mean_and_median(scores);
    let show = |value: Option<f64>| value.map_or("-".to_string(), number);
    cell(m, Align::Right, &show(averages.map(|(mean, _)| mean)));
    cell(m, Align::Right, &show(averages.map(|(_, median)| median)));
    cell(m, Align::Right, &points.to_string());
}

/// The hardest tests.
fn tests(m: &mut Markup, class: &Class) {
    m.element("h2", &[], "Hardest tests");
    let tests = hardest(class);
    if tests.is_empty() {
        m.element("p", &[], "No submission lost points in a test.");
        return;
    }
    let (first, others) = tests.split_at(tests.len().min(HARDEST));
    ranking(m, "Tests in which submissions lost points, the hardest first", first);
    if !others.is_empty() {
        m.within("details", &[], |m| {
            m.element("summary", &[], &format!("{} other tests", others.len()));
            ranking(m, "Other tests in which submissions lost points", others);
        });
    }
}

fn ranking(m: &mut Markup, caption: &str, tests: &[Hardness<'_>]) {
    let columns = [
        ("Test", Align::Left),
        ("Lab and part", Align::Left),
        ("Lost points", Align::Right),
        ("Tested", Align::Right),
        ("Share", Align::Right),
        ("Mean", Align::Right),
        ("Points", Align::Right),
    ];
    table(m, caption, &columns, |m| {
        for of in tests {
            m.within("tr", &[], |m| {
                m.within("th", &[("scope", "row")], |m| m.element("code", &[], &of.test.test));
                cell(m, Align::Left, &format!("{} {}", of.lab, of.part));
                cell(m, Align::Right, &of.lost.to_string());
                cell(m, Align::Right, &of.tested.to_string());
                cell(m, Align::Right, &format!("{:.0} %", of.share() * 100.0));
                cell(m, Align::Right, &number(of.mean()));
                cell(m, Align::Right, &of.test.points.to_string());
            });
        }
    });
}

/// What the checks found.
fn flagged(m: &mut Markup, class: &Class) {
    m.element("h2", &[], "Flags");
    let flagged = class.submissions.iter().map(|graded| (graded, flags(graded)));
    let rows: Vec<_> = flagged.filter(|(_, flags)| !flags.is_empty()).collect();
    if rows.is_empty() {
        m.element("p", &[], "None.");
        return;
    }
    let columns = [("Submission", Align::Left), ("What to look at", Align::Left)];
    table(
        m,
        "Refusals, labs that do not compile, findings in sources, and copies",
        &columns,
        |m| {
            for (graded, flags) in rows {
                m.within("tr", &[], |m| {
                    m.within("th", &[("scope", "row")], |m| link(m, graded));
                    m.within("td", &[], |m| frame::list(m, &flags));
                });
            }
        },
    );
}

/// Results that are not final.
fn pending(m: &mut Markup, class: &Class) {
    m.element("h2", &[], "Pending");
    if !class.submissions.iter().any(|graded| graded.pending) {
        m.element("p", &[], "None.");
        return;
    }
    let columns = [("Submission", Align::Left), ("Test", Align::Left), ("Result", Align::Left)];
    table(m, "Tests whose runs do not suffice for a score", &columns, |m| {
        for graded in class.submissions.iter().filter(|graded| graded.pending) {
            let tests = graded.labs.iter().flat_map(LabResult::tests);
            for test in tests.filter(|test| test.is_pending()) {
                m.within("tr", &[], |m| {
                    m.within("th", &[("scope", "row")], |m| link(m, graded));
                    m.within("td", &[], |m| m.element("code", &[], &test.test));
                    cell(m, Align::Left, &outcome(test));
                });
            }
        }
    });
}

/// Submissions with the same files.
fn identical(m: &mut Markup, class: &Class) {
    m.element("h2", &[], "Identical sources");
    let groups = Group::all(class);
    if groups.is_empty() {
        m.element("p", &[], "None.");
        return;
    }
    let caption = "Files that are the same apart from comments and layout, and not in the handout";
    let columns = [("Submissions", Align::Left), ("Files", Align::Left)];
    table(m, caption, &columns, |m| {
        for Group { ids, files, is_whole } in groups {
            m.within("tr", &[], |m| {
                let list = |m: &mut Markup, lines: BTreeSet<&str>| {
                    let lines: Vec<String> = lines.into_iter().map(str::to_string).collect();
                    frame::list(m, &lines);
                };
                m.within("td", &[], |m| list(m, ids));
                m.within("td", &[], |m| {
                    if is_whole {
                        m.element("strong", &[], "All files:");
                    }
                    list(m, files);
                });
            });
        }
    });
}

/// All submissions.
fn submissions(m: &mut Markup, class: &Class) {
    m.element("h2", &[], "Submissions");
    let mut columns = vec![("Submission", Align::Left), ("Total", Align::Right)];
    let model = class.submissions.iter().max_by_key(|graded| graded.labs.len());
    let labs: Vec<&str> =
        model.into_iter().flat_map(|graded| &graded.labs).map(|lab| &*lab.lab).collect();
    columns.extend(labs.iter().map(|lab| (*lab, Align::Right)));
    columns.extend([("State", Align::Left), ("Flags", Align::Right), ("Tree", Align::Left)]);
    table(m, "All submissions", &columns, |m| {
        for graded in &class.submissions {
            m.within("tr", &[], |m| {
                m.within("th", &[("scope", "row")], |m| link(m, graded));
                cell(m, Align::Right, &number(graded.score));
                for name in &labs {
                    let lab = graded.labs.iter().find(|lab| lab.lab == *name);
                    let score = lab.filter(|lab| lab.obstacle.is_none()).map(|lab| lab.score);
                    cell(m, Align::Right, &score.map_or("-".to_string(), number));
                }
                let state = match (&graded.refused, graded.pending) {
                    (Some(_), _) => "refused",
                    (None, true) => "pending",
                    (None, false) => "final",
                };
                cell(m, Align::Left, state);
                cell(m, Align::Right, &flags(graded).len().to_string());
                m.within("td", &[], |m| m.element("code", &[], &graded.tree));
            });
        }
    });
}

/// A link to the page of a submission.
fn link(m: &mut Markup, graded: &Graded) {
    m.element("a", &[("href", &page_of(&graded.id))], &graded.id);
}
