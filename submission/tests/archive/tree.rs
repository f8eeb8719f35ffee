//! Which files belong to a submission, and the hashes.

use std::fs;

use submission::fingerprint::fingerprint;
use submission::tree::{Tree, short};

use crate::LABS;

#[test]
fn the_hash_names_paths_and_contents() {
    let root = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let hash = || {
        let tree = Tree::read(root.path(), LABS).unwrap();
        tree.hash(root.path()).unwrap()
    };
    write("raft/src/lib.rs", "a");
    write("raft/src/b.rs", "");
    let first = hash();
    assert_eq!((first.len(), short(&first).len()), (64, 12));
    assert_eq!(short(&first), "605b0b34e368");
    write("raft/Cargo.toml", "x");
    write("raft/src/x.txt", "x");
    write("shardkv/src/lib.rs", "x");
    assert_eq!(hash(), first);
    write("raft/src/b.rs", "b");
    assert_ne!(hash(), first);
    write("raft/src/b.rs", "");
    assert_eq!(hash(), first);
    fs::rename(root.path().join("raft/src/b.rs"), root.path().join("raft/src/c.rs")).unwrap();
    assert_ne!(hash(), first);
}

#[test]
fn a_tree_without_sources_or_with_too_many_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let limits = || {
        let tree = Tree::read(root.path(), LABS).unwrap();
        tree.check_limits().map_err(|error| error.to_string())
    };
    assert_eq!(limits().unwrap_err(), "it contains no Rust source in <lab>/src");
    fs::create_dir_all(root.path().join("raft/src")).unwrap();
    fs::write(root.path().join("raft/src/lib.rs"), "x".repeat(600 << 10)).unwrap();
    assert_eq!(limits().unwrap_err(), "raft/src/lib.rs has 614400 bytes; the limit is 512 KiB");
}

#[test]
fn fingerprints() {
    let base = "use std::fmt;\nfn f(a: u8, b: u8) -> u8 { a + b }\n";
    let same = [
        "use std :: fmt ; fn f(a: u8, b: u8) -> u8 { a + b }",
        "//! Docs.\nuse std::fmt; /* x */ #[doc = \"x\"] fn f(\n    a: u8,\n    b: u8,\n) -> u8 {\n    a + b // sum\n}",
    ];
    for text in same {
        assert_eq!(fingerprint(text), fingerprint(base), "{text}");
    }
    let other = ["use std::fmt;\nfn f(a: u8, c: u8) -> u8 { a + c }\n", "use std::fmt;", ""];
    for text in other {
        assert_ne!(fingerprint(text), fingerprint(base), "{text}");
    }
    assert_eq!(fingerprint("fn f() {"), None);
    assert_eq!(fingerprint(&"(".repeat(300_000)), None);
    let deep = "(".repeat(100_000) + &")".repeat(100_000);
    assert_eq!(fingerprint(&deep), None);
}
