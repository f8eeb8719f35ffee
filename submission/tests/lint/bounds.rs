//! Sources that are made to break the lint.

use submission::lint::{Source, check};

/// The only line that is printed about a source.
fn line(contents: Vec<u8>) -> String {
    let findings = check("raft", &[Source { path: "raft/src/lib.rs".to_string(), contents }]);
    let [finding] = &findings[..] else { panic!("{findings:?}") };
    finding.to_string()
}

#[test]
fn what_does_not_parse_is_refused_in_one_line() {
    let cases: &[(&str, &str)] = &[
        ("fn f() {\n    let = 1;\n}", "raft/src/lib.rs:2: refused: cannot be parsed: "),
        ("fn f() {", "raft/src/lib.rs:1: refused: cannot be parsed: "),
        ("fn f() { \"x }", "raft/src/lib.rs:1: refused: cannot be parsed: "),
        ("}", "raft/src/lib.rs:1: refused: cannot be parsed: "),
    ];
    for (code, expected) in cases {
        let line = line(code.as_bytes().to_vec());
        assert!(line.starts_with(expected), "{code}: {line}");
        assert_eq!(line.lines().count(), 1);
    }
    assert_eq!(line(vec![0xff]), "raft/src/lib.rs: refused: is not UTF-8");
}

#[test]
fn large_files_are_refused() {
    let contents = "// x\n".repeat(200_000).into_bytes();
    assert_eq!(line(contents), "raft/src/lib.rs: refused: larger than 512 KiB");
}

#[test]
fn deep_nesting_is_refused_or_read() {
    let wrap = |open: &str, close: &str, depth: usize| {
        format!("fn f() {{ let x = {}1{}; }}", open.repeat(depth), close.repeat(depth))
    };
    let deep = [
        ("(", ")"),
        ("[", "]"),
        ("{", "}"),
        ("!", ""),
        ("-", ""),
        ("&", ""),
        ("1+", ""),
        ("|x| ", ""),
        ("return ", ""),
        ("Box::<", ""),
        ("a.b().", ""),
        ("if a { 1 } else ", "{}"),
        ("m!(", ")"),
        ("match 1 {} + ", ""),
        ("x = ", ""),
        ("'a: loop ", "{}"),
    ];
    for (open, close) in deep {
        let code = wrap(open, close, 500_000 / (open.len() + close.len()).max(1) / 2);
        let line = line(code.into_bytes());
        assert!(line.starts_with("raft/src/lib.rs"), "{open}: {line}");
    }
    // Just below the limit, it is read.
    for (open, close) in [("(", ")"), ("[", "]"), ("m!(", ")")] {
        check(
            "raft",
            &[Source {
                path: "raft/src/lib.rs".into(),
                contents: wrap(open, close, 100).into_bytes(),
            }],
        );
    }
    for open in ["!", "-", "&", "1+", "|x| ", "x = ", "return "] {
        let code = wrap(open, "", 7_000 / open.split_whitespace().count().max(2) * 2 / 2);
        check("raft", &[Source { path: "raft/src/lib.rs".into(), contents: code.into_bytes() }]);
    }
}
