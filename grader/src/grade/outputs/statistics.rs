//! Numbers about a class.

use std::collections::BTreeMap;

use super::class::Class;
use super::shared::copies;
use crate::grade::results::{Graded, Obstacle, TestResult};
use crate::grade::scorecard;

/// The number of submissions by the share of the points that they have: bins of 10 %, and one for
/// full points.
pub(super) fn histogram(class: &Class) -> [usize; 11] {
    let mut bins = [0; 11];
    for graded in &class.submissions {
        bins[bin(graded)] += 1;
    }
    bins
}

fn bin(graded: &Graded) -> usize {
    let points = f64::from(graded.points);
    if graded.points == 0 {
        return 0;
    }
    // Sums of scores have the noise of binary fractions.
    ((graded.score + 1e-6) / points * 10.0).clamp(0.0, 10.0) as usize
}

/// The name of a bin.
pub(super) fn bin_name(bin: usize) -> String {
    match bin {
        10 => "100 %".to_string(),
        bin => format!("{}-{} %", bin * 10, bin * 10 + 9),
    }
}

/// Mean and median; `None` without a value.
pub(super) fn mean_and_median(mut values: Vec<f64>) -> Option<(f64, f64)> {
    values.sort_by(f64::total_cmp);
    let (lower, upper) =
        (values.get((values.len().max(1) - 1) / 2)?, values.get(values.len() / 2)?);
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    Some((mean, f64::midpoint(*lower, *upper)))
}

/// How a test went in the whole class. Labs that were not tested do not count.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Hardness<'a> {
    pub(super) lab: &'a str,
    pub(super) part: &'a str,
    pub(super) test: &'a TestResult,
    /// The number of submissions that were tested.
    pub(super) tested: usize,
    /// The number of submissions that lost points.
    pub(super) lost: usize,
    /// The sum of the scores.
    sum: f64,
}

impl Hardness<'_> {
    /// The share of submissions that lost points.
    pub(super) fn share(&self) -> f64 {
        self.lost as f64 / self.tested.max(1) as f64
    }

    /// The mean score.
    pub(super) fn mean(&self) -> f64 {
        self.sum / self.tested.max(1) as f64
    }
}

/// The tests in which submissions lost points, the hardest first.
pub(super) fn hardest(class: &Class) -> Vec<Hardness<'_>> {
    let mut tests: Vec<Hardness<'_>> = Vec::new();
    let mut places = BTreeMap::new();
    let labs = class.submissions.iter().flat_map(|graded| &graded.labs);
    for lab in labs.filter(|lab| lab.obstacle.is_none()) {
        for (part, test) in
            lab.parts.iter().flat_map(|part| part.tests.iter().map(move |test| (part, test)))
        {
            let place = *places.entry((&lab.lab, &test.test)).or_insert_with(|| {
                let (lab, part) = (&lab.lab, &part.part);
                tests.push(Hardness { lab, part, test, tested: 0, lost: 0, sum: 0.0 });
                tests.len() - 1
            });
            let of = &mut tests[place];
            of.tested += 1;
            of.lost += usize::from(test.score < f64::from(test.points));
            of.sum += test.score;
        }
    }
    tests.retain(|test| test.lost > 0);
    tests.sort_by(|a, b| b.share().total_cmp(&a.share())); // Stable: else as in the course.
    tests
}

/// What a person should look at in a submission. A lab that is missing, or blocked by another, says
/// nothing new.
pub(super) fn flags(graded: &Graded) -> Vec<String> {
    let refused = graded.refused.iter().map(|reason| format!("refused: {reason}"));
    let of_labs = graded.labs.iter().flat_map(|lab| {
        let is_news = |why: &&Obstacle| {
            matches!(why, Obstacle::Refused | Obstacle::DoesNotCompile(_) | Obstacle::NotBuilt(_))
        };
        let obstacle = lab.obstacle.iter().filter(is_news).map(scorecard::obstacle);
        obstacle.chain(lab.findings.iter().cloned()).map(|what| format!("{}: {what}", lab.lab))
    });
    refused.chain(of_labs).chain(copies(graded)).collect()
}
