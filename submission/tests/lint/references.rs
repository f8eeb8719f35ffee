//! The references of all labs have no findings.

use std::path::Path;

use submission::lint::check_lab;
use submission::tree::Tree;

#[test]
fn the_references_are_clean() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for lab in ["mapreduce", "raft", "kvraft", "shardctrler", "shardkv", "pbservice"] {
        let findings = check_lab(root, lab).unwrap();
        let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert_eq!(lines, [""; 0], "{lab}");
        assert!(Tree::read(root, &[lab]).unwrap().files.len() > 4, "{lab}");
    }
}
