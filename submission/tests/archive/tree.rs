//! Which files belong to a submission, and the hashes.

use std::fs;

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
fn programs_and_directories_named_like_sources_are_ignored() {
    let root = tempfile::tempdir().unwrap();
    for path in ["lib.rs", "main.rs", "bin.rs", "bin/x.rs", "x.rs/y.rs", "a/main.rs", "a/bin/x.rs"]
    {
        let path = root.path().join("raft/src").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
    let tree = Tree::read(root.path(), LABS).unwrap();
    let paths: Vec<&str> = tree.files.iter().map(|file| &*file.path).collect();
    assert_eq!(
        paths,
        ["raft/src/a/bin/x.rs", "raft/src/a/main.rs", "raft/src/bin.rs", "raft/src/lib.rs"]
    );
    assert_eq!(tree.ignored, ["raft/src/bin/", "raft/src/main.rs", "raft/src/x.rs/"]);
}
