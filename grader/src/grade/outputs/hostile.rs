//! Results of a submission that attacks whatever shows them.

use std::collections::BTreeMap;

use super::text::file_name;
use crate::grade::results::{
    Circumstances, Copied, FailedRun, Graded, LabResult, Obstacle, PartResult, Picture, Smaller,
    Smallest, TestResult, Told, VERSION,
};

/// Text with the attacks on HTML, XML, terminals and spreadsheets. It is what a judge makes of the
/// bytes of a submission, so the bytes of a lone surrogate have become replacement characters.
pub(crate) fn attack() -> String {
    let surrogate = String::from_utf8_lossy(b"\xed\xa0\x80").into_owned();
    format!(
        "=HYPERLINK(\"http://x\") <script>alert(1)</script> ]]> <!-- & '\" onload='x' \
         \x1b[2J\x1b]0;t\x07 \0 {surrogate} \u{ffff} \u{202e} \r\n</pre></textarea>"
    )
}

/// A result in which every text of the submission is the attack.
pub(crate) fn graded(id: &str) -> Graded {
    let mut test = TestResult::new("figure8_2c", "Committed entries stay.", 4, (1..=20).collect());
    (test.failed, test.runs) = (2, Some(20));
    test.failures = (1..=2).map(|seed| failure(seed, &attack())).collect();
    let picture = |name: &str| {
        Picture::Page(format!("submissions/{}/{name}.html", file_name(id, "pictures")))
    };
    test.failures[0].picture = Some(picture("figure8_2c"));
    test.failures[0].smaller = Some(Smaller::Run(smallest(picture("figure8_2c.smallest"))));
    test.failures[1].picture = Some(Picture::Missing(attack()));
    test.score = 2.4;
    let mut pending = TestResult::new("backup_2b", "Logs are repaired.", 6, (1..=20).collect());
    (pending.unknown, pending.runs, pending.score) = (3, Some(20), 4.2);
    let part = |part: &str, tests: Vec<TestResult>| PartResult {
        part: part.to_string(),
        title: "A part".to_string(),
        score: 0.0,
        points: tests.iter().map(|test| test.points).sum(),
        tests,
    };
    let untested = TestResult::new("basic_3a", "Clients agree.", 10, vec![1, 2]);
    let raft = lab("raft", None, vec![part("2B", vec![pending]), part("2C", vec![test])]);
    let obstacle = Obstacle::DoesNotCompile(attack());
    let kvraft = lab("kvraft", Some(obstacle), vec![part("3A", vec![untested])]);
    let mut graded = Graded {
        schema: VERSION,
        id: id.to_string(),
        tree: "0123456789ab".to_string(),
        key: "0123456789ab 5eed rustc seeds=20".to_string(),
        with: Circumstances {
            version: "0.1.0".to_string(),
            release: "5eed".to_string(),
            compiler: "rustc 1.95.0".to_string(),
            protection: "none".to_string(),
            landlock: None,
            reference: Vec::new(),
        },
        score: 0.0,
        points: 0,
        pending: false,
        refused: None,
        ignored: vec![attack()],
        files: BTreeMap::from([("raft/src/log.rs".to_string(), "0a1b2c3d4e5f".to_string())]),
        copies: vec![Copied { file: attack(), of: format!("past/{}", attack()) }],
        cpu_seconds: 1.5,
        build_seconds: 2.5,
        labs: vec![raft, kvraft],
    };
    graded.labs.iter_mut().for_each(LabResult::add_up);
    graded.add_up();
    graded
}

/// A result that was refused.
pub(crate) fn refused(id: &str) -> Graded {
    let reason = Some(attack());
    let graded = graded(id);
    Graded { refused: reason, score: 0.0, points: 0, labs: Vec::new(), pending: false, ..graded }
}

fn lab(name: &str, obstacle: Option<Obstacle>, parts: Vec<PartResult>) -> LabResult {
    LabResult {
        lab: name.to_string(),
        title: format!("Lab, {name}"),
        score: 0.0,
        points: parts.iter().map(|part| part.points).sum(),
        obstacle,
        findings: vec![format!("src/lib.rs:3: {}", attack())],
        parts,
    }
}

fn smallest(picture: Picture) -> Smallest {
    Smallest {
        before: Some(214),
        after: 3,
        accidents: vec![Told { at: 1.204, text: attack() }, Told { at: 1.31, text: attack() }],
        story: vec![Told { at: 0.7, text: attack() }, Told { at: 1.204, text: attack() }],
        at: 4.603,
        property: attack(),
        actual: attack(),
        replay: "cargo lab replay figure8_2c 1:stall --only 6273d91b,ebb88e4c,0273d91b".to_string(),
        trace_hash: "8899aabbccddeeff".to_string(),
        picture,
    }
}

fn failure(seed: u64, text: &str) -> FailedRun {
    FailedRun {
        seed,
        policy: Some("stall".to_string()),
        kind: Some("panic".to_string()),
        property: text.to_string(),
        actual: text.to_string(),
        report: format!("{text}\n{text}"),
        replay: format!("cargo lab replay figure8_2c {seed}:stall"),
        trace_hash: "00112233aabbccdd".to_string(),
        picture: None,
        smaller: None,
    }
}
