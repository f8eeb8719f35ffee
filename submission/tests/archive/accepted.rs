//! The layouts in which people hand in.

use std::fs;

use submission::archive::{pack, unpack};
use tar::EntryType;

use crate::{Fixture, LABS, files, gzip, sources, tar};

/// Layouts that are accepted: a name, the entries, and the files that are written.
const LAYOUTS: &[(&str, &[&str], &[&str])] = &[
    ("plain", &["raft/src/lib.rs", "raft/src/a/b.rs"], &["raft/src/a/b.rs", "raft/src/lib.rs"]),
    (
        "two labs",
        &["kvraft/src/lib.rs", "raft/src/lib.rs"],
        &["kvraft/src/lib.rs", "raft/src/lib.rs"],
    ),
    ("wrapped", &["alice-lab2/raft/src/lib.rs"], &["raft/src/lib.rs"]),
    ("wrapped in a lab's name", &["raft/raft/src/lib.rs"], &["raft/src/lib.rs"]),
    ("with a dot", &["./raft/src/lib.rs"], &["raft/src/lib.rs"]),
    ("src alone", &["src/lib.rs", "Cargo.toml"], &["raft/src/lib.rs"]),
    ("src alone, wrapped", &["bob/src/lib.rs"], &["raft/src/lib.rs"]),
    (
        "with other things",
        &[
            "raft/src/lib.rs",
            "raft/build.rs",
            ".cargo/config.toml",
            "raft/tests/src/x.rs",
            "raft/src/notes.txt",
            "src/main.rs",
        ],
        &["raft/src/lib.rs"],
    ),
    ("beside a Mac's files", &["raft/src/lib.rs", "__MACOSX/raft/x.rs"], &["raft/src/lib.rs"]),
    (
        "packed on a Mac",
        &[
            "raft/src/lib.rs",
            "__MACOSX/raft/src/._lib.rs",
            "__MACOSX/._raft",
            "raft/src/._lib.rs",
            "._w/raft/src/x.rs",
        ],
        &["raft/src/lib.rs"],
    ),
    (
        "with programs",
        &["raft/src/lib.rs", "raft/src/main.rs", "raft/src/bin/x.rs", "raft/src/bin/y/main.rs"],
        &["raft/src/lib.rs"],
    ),
    (
        "own workspace",
        &["w/raft/src/lib.rs", "w/labrpc/src/lib.rs", "w/lab/src/main.rs"],
        &["raft/src/lib.rs"],
    ),
    ("hidden", &["raft/src/lib.rs", "raft/src/.x.rs", "raft/src/.d/x.rs"], &["raft/src/lib.rs"]),
];

#[test]
fn layouts() {
    for (name, entries, expected) in LAYOUTS {
        for (file, bytes) in [
            ("x.tar", sources(entries)),
            ("x.TGZ", gzip(&sources(entries))),
            ("x.tar.gz", gzip(&sources(entries))),
        ] {
            let fixture = Fixture::new(file, &bytes);
            let unpacked = fixture.unpack(Some("raft")).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(files(&fixture.output()), *expected, "{name}");
            let paths: Vec<&str> = unpacked.tree.files.iter().map(|file| &*file.path).collect();
            assert_eq!(paths, *expected, "{name}");
            assert_eq!(unpacked.ignored.len(), entries.len() - expected.len(), "{name}");
        }
    }
}

#[test]
fn directories_and_the_header_of_git_are_no_files() {
    let entries = [
        (
            &b"pax_global_header"[..],
            EntryType::XGlobalHeader,
            &b"52 comment=0123456789012345678901234567890123456789\n"[..],
        ),
        (b"w/", EntryType::Directory, b""),
        (b"w/raft/", EntryType::Directory, b""),
        (b"w/raft/src/lib.rs", EntryType::Regular, b"x"),
    ];
    let fixture = Fixture::new("x.tar", &tar(&entries));
    assert_eq!(fixture.unpack(None).unwrap().tree.files.len(), 1);
}

#[test]
fn packing_is_repeatable_and_unpacks_to_the_same_tree() {
    let fixture = Fixture::new("x", b"");
    let root = fixture.directory.path().join("tree");
    for (path, text) in [
        ("raft/src/lib.rs", "mod a;"),
        ("raft/src/a.rs", ""),
        ("raft/src/a.txt", "x"),
        ("raft/Cargo.toml", ""),
    ] {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let archives = ["1.tar.gz", "2.tar.gz"].map(|name| fixture.directory.path().join(name));
    let packed = archives.each_ref().map(|archive| pack(&root, LABS, archive).unwrap());
    assert_eq!(fs::read(&archives[0]).unwrap(), fs::read(&archives[1]).unwrap());
    assert_eq!(packed[0].ignored, ["raft/src/a.txt"]);
    let copy = fixture.output();
    let unpacked = unpack(&archives[0], LABS, None, &copy).unwrap();
    assert_eq!(unpacked.tree.hash(&copy).unwrap(), packed[0].hash(&root).unwrap());
    // The directory itself can be handed in, too.
    let copy = fixture.directory.path().join("copy");
    let unpacked = unpack(&root, LABS, None, &copy).unwrap();
    assert_eq!(unpacked.tree.hash(&copy).unwrap(), packed[0].hash(&root).unwrap());
    assert_eq!(unpacked.ignored, ["raft/Cargo.toml", "raft/src/a.txt"]);
}

/// An archive may have locked files all the same: earlier releases packed them.
#[test]
fn locked_files_are_not_packed() {
    let fixture = Fixture::new("x", b"");
    let root = fixture.directory.path().join("tree");
    fs::create_dir_all(root.join("raft/src/given")).unwrap();
    for path in ["lib.rs", "given.rs", "given/a.rs", "given/own.rs"] {
        fs::write(root.join("raft/src").join(path), "").unwrap();
    }
    let locked = "[locked]\n\"raft/src/given.rs\" = \"\"\n\"raft/src/given/a.rs\" = \"\"\n";
    fs::write(root.join("handout.toml"), locked).unwrap();
    let archive = fixture.directory.path().join("1.tar.gz");
    let packed = pack(&root, LABS, &archive).unwrap();
    let unpacked = unpack(&archive, LABS, None, &fixture.output()).unwrap();
    assert_eq!(unpacked.tree, packed);
    assert_eq!(files(&fixture.output()), ["raft/src/given/own.rs", "raft/src/lib.rs"]);
    let copy = fixture.directory.path().join("copy");
    assert_eq!(unpack(&root, LABS, None, &copy).unwrap().tree.files.len(), 4);
}

#[test]
#[cfg(unix)]
fn links_in_a_directory_are_not_followed() {
    let fixture = Fixture::new("x", b"");
    let root = fixture.directory.path().join("tree");
    fs::create_dir_all(root.join("raft/src")).unwrap();
    fs::write(root.join("raft/src/lib.rs"), "").unwrap();
    std::os::unix::fs::symlink("/etc", root.join("raft/src/etc")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", root.join("raft/src/x.rs")).unwrap();
    let unpacked = unpack(&root, LABS, None, &fixture.output()).unwrap();
    assert_eq!(unpacked.ignored, ["raft/src/etc", "raft/src/x.rs"]);
    assert_eq!(files(&fixture.output()), ["raft/src/lib.rs"]);
}
