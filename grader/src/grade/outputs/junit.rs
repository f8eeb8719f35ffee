//! `junit.xml`, for servers of continuous integration: a test suite per submission and lab.
//!
//! It is valid by the schema of Jenkins and by that of Ant, which requires a time and a host for
//! each suite. No clock is looked at, so the time is always the same.

use super::class::Class;
use super::markup::Markup;
use crate::grade::results::{Graded, LabResult, Obstacle, TestResult, total};
use crate::grade::scorecard::{obstacle, outcome};

/// The file.
pub(super) fn text(class: &Class) -> String {
    let mut m = Markup::new("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    m.within("testsuites", &[], |m| {
        let mut number = 0;
        for graded in &class.submissions {
            for lab in &graded.labs {
                suite(m, graded, lab, number);
                number += 1;
            }
        }
    });
    m.finish()
}

/// How a test case ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    Passed,
    Failed,
    /// It could not run.
    Error,
    Skipped,
}

fn ending(lab: &LabResult, test: &TestResult) -> Ending {
    match &lab.obstacle {
        Some(Obstacle::NotSubmitted) => Ending::Skipped,
        Some(_) => Ending::Error,
        None if test.failed > 0 => Ending::Failed,
        None if test.unknown + test.prevented > 0 => Ending::Error,
        None if test.runs == Some(0) => Ending::Skipped,
        None => Ending::Passed,
    }
}

/// The suite of a lab.
fn suite(m: &mut Markup, graded: &Graded, lab: &LabResult, number: usize) {
    let count = |wanted| lab.tests().filter(|test| ending(lab, test) == wanted).count().to_string();
    let seconds = total(lab.tests().map(seconds));
    let attributes = [
        ("name", &*format!("{}/{}", graded.id, lab.lab)),
        ("id", &*number.to_string()),
        ("package", &*graded.id),
        ("timestamp", "1970-01-01T00:00:00"),
        ("hostname", "localhost"),
        ("tests", &*lab.tests().count().to_string()),
        ("failures", &*count(Ending::Failed)),
        ("errors", &*count(Ending::Error)),
        ("skipped", &*count(Ending::Skipped)),
        ("time", &*format!("{seconds:.3}")),
    ];
    m.within("testsuite", &attributes, |m| {
        m.within("properties", &[], |m| {
            let with = &graded.with;
            let protection = with.protection();
            let (score, points) = (format!("{:.4}", lab.score), lab.points.to_string());
            let properties = [
                ("tree", &graded.tree),
                ("version", &with.version),
                ("release", &with.release),
                ("compiler", &with.compiler),
                ("protection", &protection),
                ("score", &score),
                ("points", &points),
            ];
            for (name, value) in properties {
                m.empty("property", &[("name", name), ("value", value)]);
            }
        });
        for part in &lab.parts {
            let class = format!("{}.{}.{}", graded.id, lab.lab, part.part);
            part.tests.iter().for_each(|test| case(m, lab, test, &class));
        }
        m.element("system-out", &[], "");
        m.element("system-err", &[], &lab.findings.join("\n"));
    });
}

/// Seconds of processor time of all runs.
fn seconds(test: &TestResult) -> f64 {
    test.cpu_seconds * test.runs.unwrap_or(test.seeds.len()) as f64
}

fn case(m: &mut Markup, lab: &LabResult, test: &TestResult, class: &str) {
    let time = format!("{:.3}", seconds(test));
    let attributes = [("name", &*test.test), ("classname", class), ("time", &*time)];
    m.within("testcase", &attributes, |m| {
        let why = lab.obstacle.as_ref().map_or_else(|| outcome(test), obstacle);
        match ending(lab, test) {
            Ending::Passed => {}
            Ending::Skipped => m.empty("skipped", &[]),
            Ending::Error => {
                m.element("error", &[("type", "not-run"), ("message", &why)], "");
            }
            Ending::Failed => {
                let kind = test.failures.first().and_then(|failure| failure.kind.as_deref());
                let kind = kind.unwrap_or("violation");
                m.element("failure", &[("type", kind), ("message", &why)], &report(test));
            }
        }
    });
}

/// What is known about the failures of a test.
pub(super) fn report(test: &TestResult) -> String {
    let mut text = String::new();
    for failure in &test.failures {
        text += &format!("{}: {}\n{}\n", failure.property, failure.actual, failure.replay);
        if !failure.report.is_empty() {
            text += &format!("{}\n\n", failure.report.trim_end());
        }
    }
    text
}
