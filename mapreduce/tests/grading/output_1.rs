use testkit::process_test;

use crate::job::Job;
use crate::oracle;

/// Word count: three workers, and every output is final when the coordinator exits.
#[test]
fn wc_1() {
    process_test("wc_1", |sim| {
        let job = Job::new(sim);
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
    process_test("indexer_1", |sim| {
        let job = Job::new(sim);
        let mut coordinator = job.coordinator();
        let (mut background, mut foreground) = (job.worker("indexer"), job.worker("indexer"));
        foreground.succeed();
        job.check_output(&oracle::index(&job.books()));
        background.wait();
        coordinator.succeed();
    });
}

/// Lines that match a pattern, with the books that they are from.
#[test]
fn grep_1() {
    process_test("grep_1", |sim| {
        let job = Job::new(sim);
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
