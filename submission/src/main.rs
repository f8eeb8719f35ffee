//! The program behind `cargo lab lint` and `cargo lab pack`. `cargo lab` builds it when it is first
//! needed, and checks the command line; this program takes its words in a fixed order:
//!
//! ```text
//! submission lint ROOT LAB...
//! submission brief ROOT LAB...               a few refused lines, after a red test
//! submission pack ROOT FILE yes|no LAB... -- BELOW...
//! ```
//!
//! `pack` puts the labs and those below them into the archive; `yes`: even if the grader refuses lines.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use contract::record::Exit;
use submission::archive;
use submission::lint::{self, Finding, Severity};
use submission::release;
use submission::tree::{Tree, short};

/// The largest number of lines after a red test.
const BRIEF: usize = 5;

/// The name of an archive until it is checked.
const DRAFT: &str = "submission.tar.gz";

/// The number of names to try for a directory.
const MAX_TRIES: usize = 100;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let result = match &words[..] {
        ["lint", root, labs @ ..] => lint(Path::new(root), labs),
        ["brief", root, labs @ ..] => brief(Path::new(root), labs),
        ["pack", root, file, anyway, labs @ ..] => {
            let mut words = labs.splitn(2, |word| *word == "--");
            let [asked, below] = [(); 2].map(|()| words.next().unwrap_or_default());
            pack(Path::new(root), [asked, below], Path::new(file), *anyway == "yes")
        }
        _ => Err("use `cargo lab lint` and `cargo lab pack`".to_string()),
    };
    let exit = result.unwrap_or_else(|problem| {
        writeln!(io::stderr(), "error: {problem}").ok(); // Standard error may be closed.
        Exit::Harness
    });
    exit.into()
}

/// Prints lines to standard output, which may be closed.
fn print(lines: impl IntoIterator<Item = String>) {
    let text: String = lines.into_iter().map(|line| line + "\n").collect();
    io::stdout().write_all(text.as_bytes()).ok();
}

/// These labs without those whose solutions the handout has.
fn handed_in<'a>(root: &Path, labs: &[&'a str]) -> Result<Vec<&'a str>, String> {
    let given = release::given(root).map_err(|error| format!("{}: {error}", release::RELEASE))?;
    Ok(labs.iter().copied().filter(|lab| !given.contains(*lab)).collect())
}

/// The error for labs of which none is handed in.
fn all_given(labs: &[&str]) -> String {
    format!("{}: this handout has the solution, which is not handed in", labs.join(", "))
}

/// The findings in these labs.
fn findings(root: &Path, labs: &[&str]) -> Result<Vec<Finding>, String> {
    let mut findings = Vec::new();
    for lab in labs {
        let found = lint::check_lab(root, lab);
        findings.extend(found.map_err(|error| format!("cannot read {lab}/src: {error}"))?);
    }
    Ok(findings)
}

/// A line for the first files of the course that were edited or removed.
fn edited(root: &Path) -> Result<Vec<String>, String> {
    let edited = release::edited(root).map_err(|error| format!("{}: {error}", release::RELEASE))?;
    let more = edited.len().saturating_sub(BRIEF);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let files = edited.iter().take(BRIEF).cloned().collect::<Vec<_>>().join(", ");
    Ok(if edited.is_empty() {
        Vec::new()
    } else {
        vec![format!(
            "edited or removed, though the course's own copy counts: {files}{more} \
             (git checkout FILE restores it)"
        )]
    })
}

/// The number of findings of this severity.
fn count(findings: &[Finding], severity: Severity) -> usize {
    findings.iter().filter(|finding| finding.severity == severity).count()
}

/// Prints all findings and a summary.
fn lint(root: &Path, labs: &[&str]) -> Result<Exit, String> {
    let own = handed_in(root, labs)?;
    if own.is_empty() {
        return Err(all_given(labs));
    }
    let labs = &own[..];
    let findings = findings(root, labs)?;
    let tree = Tree::read(root, labs).map_err(|error| error.to_string())?;
    print(findings.iter().map(Finding::to_string));
    print(edited(root)?);
    let refused = count(&findings, Severity::Refused);
    let flagged = count(&findings, Severity::Flagged);
    let files = tree.files.len();
    print([format!(
        "{refused} refused, {flagged} flagged in {files} files of {}",
        labs.join(", ")
    )]);
    Ok(if refused == 0 { Exit::Passed } else { Exit::Failed })
}

/// Prints the first refused lines, and nothing if there are none.
fn brief(root: &Path, labs: &[&str]) -> Result<Exit, String> {
    let edited = edited(root)?;
    let labs = &handed_in(root, labs)?[..];
    let findings = findings(root, labs)?;
    let refused: Vec<&Finding> =
        findings.iter().filter(|finding| finding.severity == Severity::Refused).collect();
    if !edited.is_empty() {
        print(["".to_string()]);
        print(edited);
    }
    if refused.is_empty() {
        return Ok(Exit::Passed);
    }
    print(["\nThe grader refuses these lines, and they may be the cause:".to_string()]);
    print(refused.iter().take(BRIEF).map(|finding| format!("  {finding}")));
    if let Some(more) = refused.len().checked_sub(BRIEF).filter(|more| *more > 0) {
        print([format!("  and {more} more: cargo lab lint {}", labs.join(" "))]);
    }
    Ok(Exit::Failed)
}

/// Makes the archive, and unpacks it again with the grader's checks. The labs that were asked for, and
/// those below them, are packed unless they are given.
fn pack(
    root: &Path,
    [asked, below]: [&[&str]; 2],
    file: &Path,
    anyway: bool,
) -> Result<Exit, String> {
    let own = handed_in(root, &[asked, below].concat())?;
    if !own.iter().any(|lab| asked.contains(lab)) {
        return Err(all_given(asked));
    }
    let labs = &own[..];
    let findings = findings(root, labs)?;
    print(findings.iter().map(Finding::to_string));
    print(edited(root)?);
    let refused = count(&findings, Severity::Refused);
    if refused > 0 && !anyway {
        print([format!("{refused} refused: no archive was written; --anyway writes it")]);
        return Ok(Exit::Failed);
    }
    // The archive gets its name only when it is known to be good.
    let cannot = |error| format!("cannot write {}: {error}", file.display());
    let draft = new_directory(file).map_err(cannot)?;
    let done = write_and_check(root, labs, &draft).and_then(|checked| {
        fs::rename(draft.join(DRAFT), file).map_err(cannot)?;
        Ok(checked)
    });
    fs::remove_dir_all(&draft).ok(); // What is left of it does no harm.
    let (tree, hash, size) = done?;
    print(tree.ignored.iter().map(|path| format!("ignored {path}")));
    print(tree.files.iter().map(|file| format!("{:>8}  {}", file.size, file.path)));
    let (name, files) = (file.display(), tree.files.len());
    print([format!("{name}: {size} bytes, {files} files, tree {}", short(&hash))]);
    if refused > 0 {
        print([format!("the grader refuses {refused} lines of it, see above")]);
    }
    Ok(Exit::Passed)
}

/// Makes a directory beside `file`, on the same file system.
fn new_directory(file: &Path) -> io::Result<PathBuf> {
    let mut number = 0;
    loop {
        let directory = file.with_file_name(format!(".lab-pack-{}-{number}", std::process::id()));
        // It fails for whatever has this name, a link included.
        match fs::create_dir(&directory) {
            Ok(()) => return Ok(directory),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < MAX_TRIES => {
                number += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Writes the archive into the directory `draft`, and returns what it contains, its tree hash and
/// its size.
fn write_and_check(
    root: &Path,
    labs: &[&str],
    draft: &Path,
) -> Result<(Tree, String, u64), String> {
    let (archive, copy) = (draft.join(DRAFT), draft.join("copy"));
    let tree = archive::pack(root, labs, &archive).map_err(|error| error.to_string())?;
    let unpacked =
        archive::unpack(&archive, labs, None, &copy).map_err(|error| error.to_string())?;
    let hash = |tree: &Tree, root: &Path| tree.hash(root).map_err(|error| error.to_string());
    let sent = hash(&unpacked.tree, &copy)?;
    if sent != hash(&tree, root)? {
        return Err("the sources changed while they were packed: pack them again".to_string());
    }
    let size = fs::metadata(&archive).map_err(|error| error.to_string())?.len();
    Ok((tree, sent, size))
}
