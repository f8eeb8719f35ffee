use tempfile::TempPath;

use super::*;
use crate::given::files::JobId;

/// Writes a run of these keys and values.
fn run(scratch: &Scratch, pairs: &[(&str, &[&str])]) -> TempPath {
    let (file, path) = scratch.create().unwrap().into_parts();
    let mut writer = RunWriter::new(file);
    for (key, values) in pairs {
        writer.key(key).unwrap();
        values.iter().for_each(|value| writer.value(value, 1).unwrap());
        writer.end_key().unwrap();
    }
    writer.finish().unwrap();
    path
}

/// All keys with their values.
fn contents(merge: Merge) -> Vec<(String, String)> {
    let mut seen = Vec::new();
    let each = |key: &str, values: Values<'_>| {
        seen.push((key.to_string(), values.collect::<Vec<_>>().join(",")));
        Ok(())
    };
    merge.for_each(each).unwrap();
    seen
}

#[test]
fn keys_are_in_order_and_values_in_the_order_of_the_runs() {
    let directory = tempfile::tempdir().unwrap();
    let scratch = Scratch::new(directory.path(), JobId(1), 130);
    let runs = [
        run(&scratch, &[("a", &["1"]), ("c", &["3", "4"])]),
        run(&scratch, &[]),
        run(&scratch, &[("", &["0"]), ("c", &["5"]), ("d", &[""])]),
    ];
    let paths = runs.iter().map(|run| run.to_path_buf()).collect();
    let seen = contents(Merge::open(paths, &scratch).unwrap());
    let expected = [("", "0"), ("a", "1"), ("c", "3,4,5"), ("d", "")];
    assert_eq!(seen, expected.map(|(key, values)| (key.to_string(), values.to_string())));
}

#[test]
fn values_that_reduce_does_not_read_are_skipped() {
    let directory = tempfile::tempdir().unwrap();
    let scratch = Scratch::new(directory.path(), JobId(1), 130);
    let runs =
        [run(&scratch, &[("a", &["1", "2"]), ("b", &["3"])]), run(&scratch, &[("a", &["4"])])];
    let paths = runs.iter().map(|run| run.to_path_buf()).collect();
    let mut keys = Vec::new();
    let each = |key: &str, mut values: Values<'_>| {
        keys.push(format!("{key}{}", values.next().unwrap_or_default()));
        Ok(())
    };
    Merge::open(paths, &scratch).unwrap().for_each(each).unwrap();
    assert_eq!(keys, ["a1", "b3"]);
}

#[test]
fn more_runs_than_can_be_open_are_merged_in_passes() {
    let directory = tempfile::tempdir().unwrap();
    let scratch = Scratch::new(directory.path(), JobId(1), 130);
    let runs: Vec<TempPath> = (0..300)
        .map(|i| run(&scratch, &[("key", &[&i.to_string()]), (&format!("key {i:03}"), &["x"])]))
        .collect();
    let paths = runs.iter().map(|run| run.to_path_buf()).collect();
    let seen = contents(Merge::open(paths, &scratch).unwrap());
    assert_eq!(seen.len(), 301);
    let in_order: Vec<String> = (0..300).map(|i| i.to_string()).collect();
    assert_eq!(seen[0], ("key".to_string(), in_order.join(",")));
    drop(runs);
    assert_eq!(directory.path().read_dir().unwrap().count(), 0, "files are left behind");
}

#[test]
fn a_run_that_was_cut_off_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let scratch = Scratch::new(directory.path(), JobId(1), 130);
    let run = run(&scratch, &[("a", &["1", "2"]), ("b", &["3"])]);
    let whole = std::fs::read(&run).unwrap();
    for length in 0..whole.len() {
        std::fs::write(&run, &whole[..length]).unwrap();
        let merged = Merge::open(vec![run.to_path_buf()], &scratch);
        let result = merged.and_then(|merge| {
            merge.for_each(|_, values| {
                values.for_each(drop);
                Ok(())
            })
        });
        assert!(result.is_err(), "{length} of {} bytes were accepted", whole.len());
    }
}
