//! Every output of results that are hostile, and the schema of `results.json`.

use std::fs;
use std::path::Path;

use super::class::Class;
use super::hostile::{attack, graded, refused};
use super::{Format, class_page, csv, gradescope, junit, page, write};
use crate::grade::results::{Graded, Smaller};

/// Ids that attack spreadsheets, pages and paths.
const IDS: [&str; 5] =
    ["alice", "=HYPERLINK(\"http://x\",\"y\")", "../../\"<img src=x>'/etc", "..", "results"];

fn class() -> Class {
    let mut all: Vec<Graded> = IDS.iter().map(|id| graded(id)).collect();
    all.push(refused("-refused"));
    Class::new(all)
}

/// Whether a text has no control character but line breaks and tabs.
fn is_plain(text: &str) -> bool {
    text.chars().all(|c| !c.is_control() || ['\n', '\t'].contains(&c))
}

/// A text as a page contains it.
fn escaped(text: &str) -> String {
    let mut m = super::markup::Markup::default();
    m.text(text);
    m.finish()
}

#[test]
fn pages_contain_no_tag_of_a_submission() {
    let class = class();
    let mut pages: Vec<String> = class.submissions.iter().map(page::html).collect();
    pages.push(class_page::html(&class));
    for html in pages {
        assert!(is_plain(&html));
        let lower = html.to_lowercase();
        for tag in ["<img", "<script>alert", "<textarea", "<!--", "onload='", "\" onload"] {
            assert!(!lower.contains(tag), "{tag}");
        }
        assert!(html.contains("Content-Security-Policy"));
        assert_eq!(html.matches("<pre").count(), html.matches("</pre>").count());
        assert!(!lower.contains("http://") || lower.contains("hyperlink(&quot;http://"));
    }
}

#[test]
fn a_page_of_a_submission_names_no_other_and_links_to_none() {
    for graded in class().submissions {
        let html = page::html(&graded);
        let others = IDS.iter().filter(|id| **id != graded.id && !["..", "results"].contains(id));
        for id in others {
            assert!(!html.contains(&escaped(id)), "{id}");
        }
        for (_, rest) in html.match_indices("href=\"").map(|(at, _)| html.split_at(at + 6)) {
            let picture = format!("{}/figure8_2c", super::text::file_name(&graded.id, "pictures"));
            assert!(rest.starts_with('#') || rest.starts_with(&picture), "{}", &rest[..40]);
        }
        assert!(!html.contains("<script"));
    }
}

#[test]
fn every_link_of_a_page_has_its_target() {
    let html = page::html(&graded("alice"));
    for (_, rest) in html.match_indices("href=\"#").map(|(at, _)| html.split_at(at + 7)) {
        let (target, _) = rest.split_once('"').unwrap();
        assert_eq!(html.matches(&format!("id=\"{target}\"")).count(), 1, "{target}");
    }
}

#[test]
fn a_page_says_what_to_do() {
    let html = page::html(&graded("alice"));
    for text in [
        "6.6 of 20 points",
        "The score is not final.",
        "2 of 20 runs failed</strong>: -1.6 points (-40 %)",
        "cargo lab replay figure8_2c 1:stall",
        "Committed entries stay.",
        "Trace hash",
        "<a href=\"alice.pictures/figure8_2c.html\">",
        "It fails with 3 of 214 accidents.",
        "<td class=\"number\">1.204 s</td>",
        "<td class=\"number\">0.700 s</td>",
        "--only 6273d91b,ebb88e4c,0273d91b",
        "<a href=\"alice.pictures/figure8_2c.smallest.html\">",
        "No test was run: </strong>it does not compile.",
        "Files that were not graded",
        "rustc 1.95.0",
    ] {
        assert!(html.contains(text), "{text}");
    }
    let html = page::html(&refused("bob"));
    assert!(html.contains("The submission was refused, and nothing in it was graded: "));
}

#[test]
fn a_page_lists_the_accidents_of_a_run_without_story() {
    let mut graded = graded("alice");
    let told = "<td class=\"number\">0.700 s</td>";
    assert!(page::html(&graded).contains(told));
    assert!(!page::html(&graded).contains("... and 1 more accident"));
    for smaller in smallest_runs(&mut graded) {
        let Smaller::Run(run) = smaller else { continue };
        run.story.clear();
    }
    let html = page::html(&graded);
    assert!(!html.contains(told));
    for text in ["1.204 s</td>", "1.310 s</td>", "... and 1 more accident</td>"] {
        assert!(html.contains(text), "{text}");
    }
}

/// What is known of the smallest runs of a submission.
fn smallest_runs(graded: &mut Graded) -> impl Iterator<Item = &mut Smaller> {
    let parts = graded.labs.iter_mut().flat_map(|lab| &mut lab.parts);
    let failures = parts.flat_map(|part| &mut part.tests).flat_map(|test| &mut test.failures);
    failures.filter_map(|failure| failure.smaller.as_mut())
}

#[test]
fn the_class_page_shows_flags_pending_results_and_identical_sources() {
    let class = class();
    let html = class_page::html(&class);
    for text in [
        "kvraft: it does not compile",
        "3 of 20 runs inconclusive",
        "same apart from comments and layout",
        "<strong>All files:</strong>",
        "<code>figure8_2c</code>",
        "href=\"submissions/~2e.~2f..~2f~22~3cimg~20src~3dx~3e~27~2fetc.html\"",
        "href=\"submissions/~72esults.html\"",
    ] {
        assert!(html.contains(text), "{text}");
    }
    assert!(!html.contains("The scores cannot be compared."));
    let mut mixed = class;
    mixed.submissions[0].key += " other";
    assert!(class_page::html(&mixed).contains("The scores cannot be compared."));
}

#[test]
fn no_cell_of_the_table_is_a_formula() {
    let text = csv::text(&class());
    assert!(is_plain(&text.replace("\r\n", "\n")));
    let mut cells = Vec::new();
    // Quoted cells contain no line break here, since only ids and findings come from submissions.
    for line in text.split("\r\n") {
        let mut quoted = false;
        let split = line.split(|c: char| {
            quoted ^= c == '"';
            c == ',' && !quoted
        });
        cells.extend(split.map(|cell| cell.trim_start_matches('"').to_string()));
    }
    assert!(!cells.iter().any(|cell| cell.starts_with(['=', '+', '-', '@', '\t', '\r'])));
    assert!(cells.iter().any(|cell| cell.starts_with("'=HYPERLINK(")));
    assert!(cells.contains(&"'-refused".to_string()));
    assert!(text.starts_with("id,tree,total,raft,raft 2B,raft 2C,kvraft,kvraft 3A,"));
    assert!(text.contains("\r\nalice,0123456789ab,6.6,6.6,4.2,2.4,0,0,20,yes,"), "{text}");
}

#[test]
fn junit_is_well_formed_whatever_a_submission_says() {
    let text = junit::text(&class());
    assert!(is_plain(&text) && !text.contains(['\u{ffff}', '\u{202e}']));
    assert!(!text.contains("]]>") && !text.contains("<script"));
    // Every tag is closed, in the right order.
    let mut open = Vec::new();
    for tag in text.split('<').skip(2) {
        let (tag, _) = tag.split_once('>').unwrap();
        match tag.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name.to_string())),
            None if tag.ends_with('/') => {}
            None => open.push(tag.split(' ').next().unwrap().to_string()),
        }
    }
    assert!(open.is_empty());
    assert!(text.contains("tests=\"2\" failures=\"1\" errors=\"1\" skipped=\"0\""));
}

#[test]
fn gradescope_tests_sum_to_the_score() {
    let text = gradescope::text(&graded("alice")).unwrap();
    let results: serde_json::Value = serde_json::from_str(&text).unwrap();
    let tests = results["tests"].as_array().unwrap();
    let sum: f64 = tests.iter().map(|test| test["score"].as_f64().unwrap()).sum();
    assert!((sum - results["score"].as_f64().unwrap()).abs() < 1e-9);
    assert_eq!(results["score"], 6.6);
    for test in tests {
        assert_eq!(test["visibility"], "visible");
        assert!(["passed", "failed"].contains(&test["status"].as_str().unwrap()));
        assert!(test["score"].as_f64() <= test["max_score"].as_f64());
        assert!(is_plain(test["output"].as_str().unwrap()));
    }
    assert_eq!(results["test_output_format"], "text");
    assert!(is_plain(results["output"].as_str().unwrap()));
    let refused: serde_json::Value =
        serde_json::from_str(&gradescope::text(&refused("bob")).unwrap()).unwrap();
    assert_eq!(refused["score"], 0.0);
    assert!(refused["output"].as_str().unwrap().contains("refused: "));
}

#[test]
fn files_stay_inside_the_directory_and_ids_come_back() {
    let parent = tempfile::tempdir().unwrap();
    let out = parent.path().join("a/b/results");
    fs::create_dir_all(&out).unwrap();
    let class = class();
    for graded in &class.submissions {
        graded.write(&out.join(super::text::file_name(&graded.id, "json"))).unwrap();
    }
    write(&out, &[Format::Json, Format::Csv, Format::Html, Format::Junit]).unwrap();
    write(&out, &[Format::Json]).unwrap(); // The outputs are not taken for results.
    let again = Class::read(&out.join("results.json")).unwrap();
    assert_eq!(again, class);
    assert_eq!(again.submissions[1].refused.as_deref(), class.submissions[1].refused.as_deref());
    let names = |path: &Path| {
        let entries = path.read_dir().unwrap().map(|entry| entry.unwrap().file_name());
        entries.map(|name| name.into_string().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(names(&out.join("submissions")).len(), class.submissions.len());
    assert_eq!(names(&out).len(), class.submissions.len() + 5);
    assert_eq!(names(&parent.path().join("a")), ["b"]);
    assert_eq!(names(&parent.path().join("a/b")), ["results"]);
    let error = write(&out, &[Format::Gradescope]).unwrap_err().to_string();
    assert!(error.contains("gradescope.json is for one submission"), "{error}");
}

#[test]
fn the_attack_is_one() {
    for part in ["<script>", "]]>", "\x1b[2J", "\0", "\u{fffd}", "=HYPERLINK("] {
        assert!(attack().contains(part));
    }
}

/// With `UPDATE_SCHEMA=1`, the test writes the file.
#[test]
fn the_schema_is_that_of_the_types() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/results.schema.json");
    let schema = schemars::schema_for!(Class);
    let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    let advice = "a field has changed: run `UPDATE_SCHEMA=1 cargo test -p grader schema`, and \
                  increment results::VERSION unless a field was only added";
    assert!(committed == text, "{advice}");
}
