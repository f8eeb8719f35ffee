//! Makes submissions.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{EntryType, Header};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::entry::{Base, Edit, Entry, Pack};
use crate::workspace;

/// Files, relative to the root of a tree.
type Files = BTreeMap<String, Vec<u8>>;

/// The size of an entry that is a bomb.
const BOMB: usize = 80 << 20;

/// Makes a submission in the directory `class`, with these labs, and returns its path.
pub(crate) fn submission(entry: &Entry, labs: &[String], class: &Path) -> PathBuf {
    let directory = class.join(&entry.id);
    let files = files(entry, labs, &class.with_extension("work"));
    let bytes = match entry.pack {
        Pack::Directory => {
            write(&files, &directory);
            return directory;
        }
        Pack::Tgz => tgz(&files, &entry.hostile),
        Pack::Zip => zipped(&files, &entry.hostile),
    };
    let end = if entry.pack == Pack::Zip { "zip" } else { "tar.gz" };
    let archive = class.join(format!("{}.{end}", entry.id));
    fs::write(&archive, bytes).expect("it can be written");
    archive
}

/// Writes files below a directory.
fn write(files: &Files, directory: &Path) {
    fs::create_dir_all(directory).expect("it can be created");
    for (path, contents) in files {
        let path = directory.join(path);
        fs::create_dir_all(path.parent().expect("it is below")).expect("it can be created");
        fs::write(path, contents).expect("it can be written");
    }
}

/// The files of a submission. `work` is a directory to patch them in.
fn files(entry: &Entry, labs: &[String], work: &Path) -> Files {
    let mut files = Files::new();
    for lab in labs {
        let from = match entry.base {
            Base::Reference => workspace().join(lab).join("src"),
            Base::Skeleton => workspace().join("handout").join(lab).join("src"),
            Base::Empty => continue,
        };
        read(&from, &format!("{lab}/src"), &mut files);
    }
    if let Some(patch) = &entry.patch {
        files = patched(&files, &workspace().join(patch), work);
    }
    if let Some(attack) = &entry.attack {
        files.insert("raft/src/attack.rs".to_string(), attack.clone().into_bytes());
        replace(&mut files, "raft/src/lib.rs", "\nmod apply;", "\nmod apply;\nmod attack;");
        let begin = match entry.base {
            Base::Skeleton => "        let saved = persister.raft_state();",
            _ => "        let storage = Storage::new(persister);",
        };
        let with = format!("        crate::attack::begin(me);\n{begin}");
        replace(&mut files, "raft/src/raft.rs", begin, &with);
    }
    for edit in &entry.edit {
        replace(&mut files, &edit.file, &edit.find, &edit.replace);
    }
    for (path, text) in &entry.add {
        files.insert(path.clone(), text.clone().into_bytes());
    }
    files
}

/// Reads all files below a directory.
fn read(from: &Path, to: &str, files: &mut Files) {
    for file in fs::read_dir(from).expect("it is a directory") {
        let path = file.expect("it can be read").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("it is UTF-8");
        let to = format!("{to}/{name}");
        if path.is_dir() {
            read(&path, &to, files);
        } else {
            files.insert(to, fs::read(&path).expect("it can be read"));
        }
    }
}

/// Replaces a text that occurs once.
fn replace(files: &mut Files, file: &str, find: &str, with: &str) {
    let contents = files.get_mut(file).unwrap_or_else(|| panic!("there is no {file}"));
    let (file, find, replace) = (file.to_string(), find.to_string(), with.to_string());
    *contents = replaced(contents, &Edit { file, find, replace });
}

/// The contents of a file after an edit.
pub(crate) fn replaced(contents: &[u8], edit: &Edit) -> Vec<u8> {
    let Edit { file, find, replace } = edit;
    let text = String::from_utf8_lossy(contents);
    assert_eq!(text.matches(&**find).count(), 1, "{file} has '{find}' once");
    text.replace(&**find, replace).into_bytes()
}

/// The files after a patch.
fn patched(files: &Files, patch: &Path, work: &Path) -> Files {
    fs::remove_dir_all(work).ok();
    write(files, work);
    let mut command = Command::new("git");
    command.arg("apply").arg(patch).current_dir(work);
    let above = work.parent().expect("it is below a directory");
    let status = command.env("GIT_CEILING_DIRECTORIES", above).status().expect("git runs");
    assert!(status.success(), "{} does not apply", patch.display());
    let mut patched = Files::new();
    for lab in fs::read_dir(work).expect("it exists") {
        let lab = lab.expect("it can be read").path();
        let name = lab.file_name().and_then(|name| name.to_str()).expect("it is UTF-8");
        read(&lab, name, &mut patched);
    }
    fs::remove_dir_all(work).ok();
    patched
}

/// The kind, name and contents of an entry that a library would refuse to write.
fn hostile(line: &str) -> (&str, &str, Vec<u8>) {
    let (kind, name) = line.split_once(' ').expect("it has a kind and a name");
    let contents = match kind {
        "bomb" => vec![0; BOMB],
        "file" => b"//! Another file.\n".to_vec(),
        _ => Vec::new(),
    };
    (kind, name, contents)
}

fn tgz(files: &Files, entries: &[String]) -> Vec<u8> {
    let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    let mut append = |name: &str, kind: EntryType, contents: &[u8]| {
        let mut header = Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(0o644);
        if kind != EntryType::Regular {
            header.set_link_name("/etc/passwd").expect("it is short");
        }
        header.set_size(contents.len() as u64);
        header.set_cksum();
        builder.append(&header, contents).expect("it is written to memory");
    };
    for (name, contents) in files {
        append(name, EntryType::Regular, contents);
    }
    for line in entries {
        let (kind, name, contents) = hostile(line);
        let kind = match kind {
            "link" => EntryType::Symlink,
            "hard-link" => EntryType::Link,
            _ => EntryType::Regular,
        };
        append(name, kind, &contents);
    }
    let encoder = builder.into_inner().expect("it is written to memory");
    encoder.finish().expect("it is written to memory")
}

/// A zip file. The library refuses to write a name twice, so such an entry gets another name first.
fn zipped(files: &Files, entries: &[String]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default();
    let mut renamed = Vec::new();
    for (name, contents) in files {
        writer.start_file(name.as_str(), options).expect("it is written to memory");
        writer.write_all(contents).expect("it is written to memory");
    }
    for (number, line) in entries.iter().enumerate() {
        let (kind, name, contents) = hostile(line);
        if kind == "link" {
            writer.add_symlink(name, "/etc/passwd", options).expect("it is written to memory");
            continue;
        }
        let other = format!("{number:?}{}", "~".repeat(name.len() - 1));
        writer.start_file(other.as_str(), options).expect("it is written to memory");
        writer.write_all(&contents).expect("it is written to memory");
        renamed.push((other, name));
    }
    let mut bytes = writer.finish().expect("it is written to memory").into_inner();
    for (from, to) in renamed {
        for at in 0..bytes.len() - from.len() {
            if bytes[at..].starts_with(from.as_bytes()) {
                bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
            }
        }
    }
    bytes
}
