use std::process::Command;

use testkit::process_test;

use crate::job::{Job, SEQUENTIAL, run};
use crate::oracle;

/// Word count: three workers, and every output is final when the coordinator exits.
#[test]
fn wc_1() {
    process_test("wc_1", |_sim| {
        let job = Job::new();
        let mut coordinator = job.coordinator();
        let mut workers = [job.worker("wc"), job.worker("wc"), job.worker("wc")];
        coordinator.succeed();
        job.check_output(&oracle::word_count(&job.books()));
        // One whose task was given to another, since it took too long, may come too late to hear
        // that all is done.
        workers.iter_mut().for_each(|worker| _ = worker.wait());
        assert_eq!(job.output_names().len(), 10, "one output for each reduce task");
    });
}

/// Inverted index: two workers, and every output is final when one of them exits.
#[test]
fn indexer_1() {
    process_test("indexer_1", |_sim| {
        let job = Job::new();
        let mut coordinator = job.coordinator();
        let (mut background, mut foreground) = (job.worker("indexer"), job.worker("indexer"));
        foreground.succeed();
        job.check_output(&oracle::index(&job.books()));
        background.wait();
        coordinator.succeed();
    });
}

/// The sequential program computes the same.
#[test]
fn sequential_1() {
    process_test("sequential_1", |_sim| {
        let job = Job::new();
        let files: Vec<String> = job.books().into_iter().map(|(name, _)| name).collect();
        for (app, expected) in
            [("wc", oracle::word_count(&job.books())), ("indexer", oracle::index(&job.books()))]
        {
            let mut args = vec![app];
            args.extend(files.iter().map(String::as_str));
            job.start(SEQUENTIAL, &args).succeed();
            job.check_output(&expected);
            assert_eq!(job.output_names(), ["mr-out-0"]);
        }
    });
}

/// The oracle agrees with coreutils, which have never heard of MapReduce.
#[test]
fn coreutils_agree_with_the_oracle_1() {
    process_test("coreutils_agree_with_the_oracle_1", |_sim| {
        let job = Job::new();
        let script = "cat ../pg-*.txt \
            | sed 's/\u{201c}/ /g; s/\u{201d}/ /g; s/\u{2014}/ /g' \
            | tr -cs 'A-Za-z\\200-\\377' '\\n' | grep . | sort | uniq -c | awk '{print $2, $1}'";
        let output = run(Command::new("sh")
            .args(["-c", script])
            .env("LC_ALL", "C")
            .current_dir(job.path("")));
        let text = String::from_utf8_lossy(&output.stdout);
        let counted = oracle::sorted(text.lines().map(ToString::to_string));
        assert!(counted.len() > 1000, "{} words: {output:?}", counted.len());
        assert!(counted == oracle::word_count(&job.books()), "coreutils count otherwise");
    });
}

/// The books are like the course's.
#[test]
fn books_have_the_shape_of_the_course_1() {
    process_test("books_have_the_shape_of_the_course_1", |_sim| {
        let books = Job::new().books();
        let bytes: usize = books.iter().map(|(_, text)| text.len()).sum();
        let words: usize = books.iter().map(|(_, text)| text.split_whitespace().count()).sum();
        assert_eq!((books.len(), words), (8, 608_645));
        assert!((3_000_000..3_600_000).contains(&bytes), "{bytes} bytes");
        assert!(
            books.iter().all(|(_, text)| text.chars().any(|c| !c.is_ascii() && c.is_alphabetic()))
        );
        for part in ["sherlock", "tom"] {
            assert_eq!(books.iter().filter(|(name, _)| name.contains(part)).count(), 1, "{part}");
        }
    });
}

/// Lines that match a pattern, with the books that they are from.
#[test]
fn grep_1() {
    process_test("grep_1", |_sim| {
        let job = Job::new();
        let mut coordinator = job.coordinator();
        let mut worker = job.start(crate::job::WORKER, &["grep", "th[aeo]+ "]);
        coordinator.succeed();
        worker.succeed();
        let matches = |line: &&str| {
            ["tha", "the", "tho"].iter().any(|start| {
                line.match_indices(start).any(|(at, _)| {
                    line[at + 2..].trim_start_matches(['a', 'e', 'o']).starts_with(' ')
                })
            })
        };
        let mut expected: Vec<(String, String)> = Vec::new();
        for (name, text) in job.books() {
            expected
                .extend(text.lines().filter(matches).map(|line| (line.to_string(), name.clone())));
        }
        expected.sort();
        expected.dedup();
        let mut lines: std::collections::BTreeMap<String, Vec<String>> = Default::default();
        expected.into_iter().for_each(|(line, name)| lines.entry(line).or_default().push(name));
        assert!(lines.len() > 100, "a dull pattern");
        let lines = lines.into_iter().map(|(line, names)| format!("{line} {}", names.join(",")));
        job.check_output(&oracle::sorted(lines));
    });
}
