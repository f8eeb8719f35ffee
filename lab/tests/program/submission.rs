//! `lint`, `pack`, and the refused lines after a red test.

use std::fs;

use crate::fixture::Fixture;

/// Two refused lines and a flagged one.
const ESCAPES: &str = "use std::thread as t;\n\npub fn start() {\n    t::spawn(|| {});\n}\n\n\
                       #[cfg(debug_assertions)]\npub fn more() {}\n";

#[test]
fn lint_names_line_path_and_replacement() {
    let fixture = Fixture::new();
    let ran = fixture.lab("lint").expect(0);
    assert_eq!(ran.out, "0 refused, 0 flagged in 1 files of toy\n");
    fixture.write("toy/src/lib.rs", "#[cfg(unix)]\nfn f() {}\n");
    fixture.lab("lint toy").expect(0).shows("toy/src/lib.rs:1: flagged: #[cfg] (use the same code");
    fixture.write("toy/src/lib.rs", ESCAPES);
    let ran = fixture.lab("lint TOY").expect(1);
    ran.shows("toy/src/lib.rs:1: refused: std::thread (use labrpc::spawn)\n");
    ran.shows(
        "toy/src/lib.rs:4: refused: t::spawn, which is std::thread::spawn (use labrpc::spawn)\n",
    );
    ran.shows("2 refused, 1 flagged in 1 files of toy\n");
    fixture.write("toy/src/lib.rs", "fn f() {");
    fixture.lab("lint 9A").expect(1).shows("toy/src/lib.rs:1: refused: cannot be parsed: ");
    fixture.lab("lint nothing").expect(4).says("'nothing' matches no test");
    fixture.lab("lint rig").expect(4).says("'rig' is not a lab that is handed in");
}

#[test]
fn pack_writes_what_the_grader_accepts() {
    let fixture = Fixture::new();
    fixture.write("toy/src/notes.txt", "x");
    let ran = fixture.lab("pack").expect(0);
    ran.shows("ignored toy/src/notes.txt\n").shows("ignored toy/src/bin/\n");
    ran.shows("toy.tar.gz: ").shows(" bytes, 1 files, tree ");
    let archive = fs::read(fixture.path("toy.tar.gz")).unwrap();
    let again = fixture.lab("pack toy -o again.tar.gz").expect(0);
    assert_eq!(again.out.replace("again", "toy"), ran.out);
    assert_eq!(fs::read(fixture.path("again.tar.gz")).unwrap(), archive);
    // Refused lines stop it, unless the student insists.
    fixture.write("toy/src/lib.rs", ESCAPES);
    let ran = fixture.lab("pack -o refused.tgz").expect(1);
    ran.shows("toy/src/lib.rs:4: refused: ").shows("no archive was written; --anyway writes it");
    assert!(!fixture.path("refused.tgz").exists());
    let ran = fixture.lab("pack -o refused.tgz --anyway").expect(0);
    ran.shows("refused.tgz: ").shows("the grader refuses 2 lines of it, see above");
    assert!(fixture.path("refused.tgz").exists());
    fixture.write("toy/src/lib.rs", &"//\n".repeat(200_000));
    fixture.lab("pack --anyway").expect(5).says("toy/src/lib.rs has 600000 bytes; the limit is");
    fixture.write("toy/src/lib.rs", "");
    fixture.lab("pack -o toy.zip").expect(5).says("must end with .tar.gz or .tgz");
    fixture.lab("pack -o no/such/directory.tgz").expect(5).says("cannot write no/such/");
    let names = fs::read_dir(fixture.path(".")).unwrap();
    let hidden = |name: &std::ffi::OsString| name.to_string_lossy().starts_with(".lab-pack");
    assert!(!names.map(|entry| entry.unwrap().file_name()).any(|name| hidden(&name)));
}

#[test]
fn a_lab_is_packed_with_the_labs_that_it_uses() {
    let fixture = Fixture::new();
    let part = "part = [{ name = \"9\", title = \"\", paper = \"\", test = [] }]";
    let labs = ["toy", "tower", "other"]
        .map(|lab| format!("[[lab]]\nname = \"{lab}\"\ntitle = \"\"\n{part}\n"));
    fixture.write("lab/labs.toml", &labs.concat());
    fixture.write("tower/Cargo.toml", "[dependencies]\ntoy = { path = \"../toy\" }\n");
    fixture.write("tower/src/lib.rs", "");
    fixture.write("other/src/lib.rs", "");
    fixture.lab("pack toy").expect(0).shows("toy.tar.gz: ").shows(" bytes, 1 files, ");
    fixture.lab("pack tower").expect(0).shows("tower.tar.gz: ").shows(" bytes, 2 files, ");
    fixture.write("handout.toml", "given = [\"toy\"]\n[locked]\n");
    fixture.lab("pack tower").expect(0).shows("tower.tar.gz: ").shows(" bytes, 1 files, ");
    fixture.write("handout.toml", "given = [\"tower\"]\n[locked]\n");
    fixture.lab("pack tower").expect(5).says("tower: this handout has the solution");
}

#[test]
fn labs_whose_solutions_are_in_the_handout_are_left_out() {
    let fixture = Fixture::new();
    fixture.write("handout.toml", "given = [\"toy\"]\n[locked]\n");
    fixture.write("toy/src/lib.rs", ESCAPES);
    fixture
        .lab("lint")
        .expect(5)
        .says("toy: this handout has the solution, which is not handed in");
    fixture
        .lab("pack")
        .expect(5)
        .says("toy: this handout has the solution, which is not handed in");
    assert!(!fixture.path("toy.tar.gz").exists());
    let ran = fixture.lab("test fails_9b").expect(1);
    assert!(!ran.out.contains("refuses"), "{}", ran.out);
}

#[test]
fn a_red_test_shows_the_first_refused_lines() {
    let fixture = Fixture::new();
    let ran = fixture.lab("test fails_9b").expect(1);
    assert!(!ran.out.contains("refuses"), "{}", ran.out);
    let function = |n: u32| format!("pub fn f{n}() {{\n    std::thread::yield_now();\n}}\n");
    fixture.write("toy/src/lib.rs", &(0..7).map(function).collect::<String>());
    let ran = fixture.lab("test fails_9b --seed 7").expect(1);
    ran.shows("The grader refuses these lines, and they may be the cause:\n");
    ran.shows("  toy/src/lib.rs:2: refused: std::thread::yield_now (use labrpc::yield_now)\n");
    ran.shows("  and 2 more: cargo lab lint toy\n");
    let ran = fixture.lab("test passes_9a").expect(0);
    assert!(!ran.out.contains("refuses"), "{}", ran.out);
}
