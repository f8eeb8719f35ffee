//! `cargo lab logs`: columns, filters, and lines that are none of ours.

use crate::fixture::Fixture;

/// A log with more than ten servers, with lines of other origin.
const LOG: &str = "\
running 1 test
012500 VOTE S2@5 granted to S0
012600 TERM S11@6 hears of term 6
012700 TEST disconnect S11
thread 'x' panicked
030000 VOTE S0@7 asks
";

#[test]
fn a_column_per_server_also_above_nine() {
    let fixture = Fixture::new();
    fixture.write("log.txt", LOG);
    let ran = fixture.lab("logs log.txt").expect(0);
    let rule = "#".repeat(80);
    // Three servers: 12 characters of margin, then 22 for each.
    let expected = format!(
        "{rule}\nrunning 1 test\n\
         012500 VOTE {:22}S2@5 granted to S0\n\
         012600 TERM {:44}S11@6 hears of term\n{:12}{:44}6\n\
         012700 TEST disconnect S11\n\
         {rule}\nthread 'x' panicked\n\
         030000 VOTE S0@7 asks\n",
        "", "", "", ""
    );
    assert_eq!(ran.out, expected);
}

#[test]
fn shard_groups() {
    let fixture = Fixture::new();
    let log = "000001 SNAP G101.S0@1 x\n000002 SNAP G100.S12@1 y\n000003 SNAP G100.S2@1 z\n";
    fixture.write("log.txt", log);
    let ran = fixture.lab("logs log.txt").expect(0);
    let expected = format!(
        "000001 SNAP {:44}G101.S0@1 x\n000002 SNAP {:22}G100.S12@1 y\n000003 SNAP G100.S2@1 z\n",
        "", ""
    );
    assert_eq!(ran.out, expected);
}

#[test]
fn filters() {
    let fixture = Fixture::new();
    fixture.write("log.txt", LOG);
    let shown = |words: &str| {
        let ran = fixture.lab(&format!("logs log.txt -c 1 {words}")).expect(0);
        let times = ran.out.lines().filter(|line| line.starts_with('0')).map(|line| &line[..6]);
        times.map(str::to_string).collect::<Vec<_>>()
    };
    assert_eq!(shown("-j vote,TEST"), ["012500", "012700", "030000"]);
    assert_eq!(shown("-i VOTE"), ["012600", "012700"]);
    assert_eq!(shown("--around 1.27s"), ["012500", "012600", "012700"]);
    assert_eq!(shown("--around 030000"), ["030000"]);
}

#[test]
fn standard_input_and_colours() {
    let fixture = Fixture::new();
    fixture.write("log.txt", LOG);
    let input = || std::fs::File::open(fixture.path("log.txt")).unwrap();
    let from_file = fixture.lab("logs log.txt --no-color").expect(0).out;
    assert_eq!(fixture.lab_with_input("logs", input()).expect(0).out, from_file);
    assert_eq!(fixture.lab_with_input("logs -", input()).expect(0).out, from_file);
    assert!(!from_file.contains('\x1b'));
    let colored = |name, value| {
        let mut command = fixture.command("logs log.txt");
        command.env("CLICOLOR_FORCE", "1").env(name, value);
        String::from_utf8(command.output().unwrap().stdout).unwrap().contains('\x1b')
    };
    assert!(colored("SOMETHING", "1"));
    assert!(!colored("NO_COLOR", "1"));
}
