//! The lecture's table, and how the logs of two servers differ.

use labrpc::Disk;
use pbservice::{compare_logs, print_logs, show_log};
use testkit::lab_test;

use super::{open, record, records, save, snapshot_of};

/// What a function prints.
fn printed(print: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    print(&mut out);
    String::from_utf8(out).expect("only text is printed")
}

/// What [`show_log`] prints.
fn shown(disk: &Disk) -> String {
    printed(|out| show_log(disk, out).expect("nothing fails here"))
}

/// What [`compare_logs`] prints, and whether it found no difference.
fn compared(left: &Disk, right: &Disk) -> (String, bool) {
    let mut equal = false;
    let text = printed(|out| equal = compare_logs(left, right, out).expect("nothing fails here"));
    (text, equal)
}

/// A disk with a log that starts with four records of epoch 1.
fn disk_with(more: &[pbservice::Record]) -> Disk {
    let disk = Disk::new();
    let (mut storage, _) = open(&disk);
    save(&mut storage, &records(1..=4, 1));
    storage.mark_committed(3);
    save(&mut storage, more);
    disk
}

/// The log is shown as the lecture draws it: order, operation, and whether it is done.
#[test]
fn log_is_shown_as_a_table() {
    lab_test("log_is_shown_as_a_table", |_| {
        let expected = "\
log of 10.0.0.1:7001, snapshot up to 0@0
   order epoch               client committed operation
       1     1                    1 yes       put \"key 1\" \"value 1 of epoch 1\"
       2     1                    0 yes       append \"key 2\" \" and 2\"
       3     1                    1 yes       append \"key 0\" \" and 3\"
       4     1                    0 ?         no-op
       5     2                    1 ?         put \"key 2\" \"value 5 of epoch 2\"
";
        assert_eq!(shown(&disk_with(&[record(5, 2)])), expected);
    });
}

/// Of two logs only the lines that differ are shown, those of either side, with their number.
#[test]
fn logs_that_differ() {
    lab_test("logs_that_differ", |_| {
        let dead = disk_with(&records(5..=6, 2));
        let new = disk_with(&[record(5, 3)]);
        let expected = "\
< log of 10.0.0.1:7001, snapshot up to 0@0
> log of 10.0.0.1:7001, snapshot up to 0@0
     order epoch               client committed operation
<        5     2                    1 ?         put \"key 2\" \"value 5 of epoch 2\"
>        5     3                    1 ?         put \"key 2\" \"value 5 of epoch 3\"
<        6     2                    0 ?         append \"key 0\" \" and 6\"
2 records differ
";
        assert_eq!(compared(&dead, &new), (expected.to_string(), false));
        let (text, equal) = compared(&dead, &dead);
        assert!(equal && text.ends_with("no difference\n"), "{text}");
    });
}

/// Records that one side has dropped are not taken for missing ones.
#[test]
fn logs_with_snapshots_differ_where_they_can_be_compared() {
    lab_test("logs_with_snapshots_differ_where_they_can_be_compared", |_| {
        let long = disk_with(&records(5..=8, 1));
        let short = long.copy();
        let (mut storage, _) = open(&short);
        storage.save_snapshot(&snapshot_of(&records(1..=5, 1))).expect("no fault");
        storage.save_snapshot(&snapshot_of(&records(1..=6, 1))).expect("no fault");
        let (text, equal) = compared(&long, &short);
        assert!(equal, "{text}");
        assert!(text.contains("the records before 6 are not in both logs"), "{text}");
        assert!(shown(&short).contains("snapshot up to 6@1"));
    });
}

/// Looking changes nothing, neither in a torn log nor in a damaged one, and says what is wrong.
#[test]
fn broken_logs_are_shown_as_far_as_they_go() {
    lab_test("broken_logs_are_shown_as_far_as_they_go", |_| {
        let disk = disk_with(&[record(5, 2)]);
        let len = disk.len("log").expect("no fault").expect("there is a log");
        let torn = disk.copy();
        torn.cut("log", len - 1);
        assert!(shown(&torn).contains("torn tail"), "{}", shown(&torn));
        assert_eq!(torn.len("log").expect("no fault"), Some(len - 1));
        disk.flip("log", len / 2, 1);
        assert!(shown(&disk).contains("the file \"log\" is corrupt at byte"), "{}", shown(&disk));
        assert!(!disk.list().expect("no fault").contains(&"log.damaged".to_string()));
        assert!(shown(&Disk::new()).contains("no server"));
    });
}

/// Servers' directories are looked into, and one that is missing is not made.
#[test]
fn logs_in_directories() {
    lab_test("logs_in_directories", |_| {
        let directory = tempfile::tempdir().expect("there is room for a directory");
        let disk = Disk::at(directory.path()).expect("it can be opened");
        save(&mut open(&disk).0, &records(1..=2, 1));
        let text = printed(|out| {
            assert!(print_logs(directory.path(), None, out).expect("it can be read"));
            assert!(
                print_logs(directory.path(), Some(directory.path()), out).expect("it can be read")
            );
        });
        assert!(text.contains("put \"key 1\"") && text.contains("no difference"), "{text}");
        let missing = directory.path().join("missing");
        let error = print_logs(&missing, None, &mut Vec::new()).expect_err("it is missing");
        assert!(error.to_string().starts_with("there is no directory"), "{error}");
        assert!(!missing.exists(), "and it is not created");
    });
}
