//! Checks of the grading tests, in which no code of the lab runs.

use std::process::Command;

use testkit::process_test;

use crate::job::Job;
use crate::oracle;

/// The oracle agrees with coreutils.
#[test]
fn coreutils_agree_with_the_oracle() {
    process_test("coreutils_agree_with_the_oracle", |sim| {
        let job = Job::new(sim);
        let script = "cat ../pg-*.txt \
            | sed 's/\u{201c}/ /g; s/\u{201d}/ /g; s/\u{2014}/ /g' \
            | tr -cs 'A-Za-z\\200-\\377' '\\n' | grep . | sort | uniq -c | awk '{print $2, $1}'";
        let output = Command::new("sh")
            .args(["-c", script])
            .env("LC_ALL", "C")
            .current_dir(job.path(""))
            .output()
            .expect("there is a shell");
        let text = String::from_utf8_lossy(&output.stdout);
        let counted = oracle::sorted(text.lines().map(ToString::to_string));
        assert!(counted.len() > 1000, "{} words: {output:?}", counted.len());
        assert!(counted == oracle::word_count(&job.books()), "coreutils have another result");
    });
}

/// The books are like the course's.
#[test]
fn books_have_the_shape_of_the_course() {
    process_test("books_have_the_shape_of_the_course", |sim| {
        let books = Job::new(sim).books();
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
