//! The log as the lecture draws it, one line a record, and how the logs of two servers differ.

use std::fmt;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::net::SocketAddr;
use std::path::Path;

use labrpc::Disk;

use crate::given::record::Record;
use crate::given::storage::StorageError;
use crate::given::storage::inspect;
use crate::given::version::Version;

/// Prints the log in a server's directory, or, of two directories, the lines in which they differ.
/// The servers may be running. Returns whether there was no difference.
///
/// # Errors
/// If a directory is missing, cannot be read, or does not belong to a server, which the error names, or `out`
/// not written.
pub fn print_logs(dir: &Path, other: Option<&Path>, out: &mut impl Write) -> io::Result<bool> {
    let log = read_directory(dir)?;
    match other {
        None => show(&log, out).map(|()| true),
        Some(other) => compare(&log, &read_directory(other)?, out),
    }
}

/// Reads the log in a directory, which is not created: its name may be mistyped.
fn read_directory(dir: &Path) -> io::Result<Listing> {
    let name = dir.display();
    let log = match fs::metadata(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(io::Error::new(error.kind(), format!("there is no directory {name}")));
        }
        Ok(found) if !found.is_dir() => {
            Err(io::Error::new(ErrorKind::NotADirectory, "it is not a directory"))
        }
        found => found.and_then(|_| Disk::at(dir)).and_then(|disk| Listing::read(&disk)),
    };
    let log = log.and_then(Listing::of_a_server);
    log.map_err(|error| io::Error::new(error.kind(), format!("{name}: {error}")))
}

/// Prints a server's log: order, operation, client, epoch, and whether the record is known to be
/// committed.
///
/// The server writes what it knows to be committed along with later records, so the last lines may
/// say `?` though they are.
///
/// # Errors
/// If the disk cannot be read, or `out` not written.
pub fn show_log(disk: &Disk, out: &mut impl Write) -> io::Result<()> {
    show(&Listing::read(disk)?, out)
}

/// See [`show_log`].
fn show(log: &Listing, out: &mut impl Write) -> io::Result<()> {
    log.write_head("", out)?;
    writeln!(out, "{}", Line::HEAD)?;
    log.lines.iter().try_for_each(|line| writeln!(out, "{line}"))
}

/// Prints the lines in which the logs of two servers differ: `<` is in the first one's only, `>` in
/// the other's. Whether a line is known to be committed makes no difference. Records that one of
/// the two has in its snapshot only cannot be compared. Returns whether there was no difference.
///
/// # Errors
/// If a disk cannot be read, or `out` not written.
pub fn compare_logs(left: &Disk, right: &Disk, out: &mut impl Write) -> io::Result<bool> {
    compare(&Listing::read(left)?, &Listing::read(right)?, out)
}

/// See [`compare_logs`].
fn compare(left: &Listing, right: &Listing, out: &mut impl Write) -> io::Result<bool> {
    left.write_head("< ", out)?;
    right.write_head("> ", out)?;
    let first = left.first_order().max(right.first_order());
    if first > 1 {
        writeln!(out, "the records before {first} are not in both logs, and were not compared")?;
    }
    let end = left.last_order().max(right.last_order());
    let mut differences = 0;
    for order in first..=end {
        let (a, b) = (left.line(order), right.line(order));
        if a.map(|line| &line.record) != b.map(|line| &line.record) {
            if differences == 0 {
                writeln!(out, "  {}", Line::HEAD)?;
            }
            differences += 1;
            for (side, line) in [("<", a), (">", b)] {
                line.map_or(Ok(()), |line| writeln!(out, "{side} {line}"))?;
            }
        }
    }
    match differences {
        0 => writeln!(out, "no difference")?,
        1 => writeln!(out, "1 record differs")?,
        n => writeln!(out, "{n} records differ")?,
    }
    Ok(differences == 0)
}

/// A log that was read.
struct Listing {
    server: Option<SocketAddr>,
    snapshot: Version,
    lines: Vec<Line>,
    remarks: Vec<String>,
}

/// A line of the table.
struct Line {
    record: Record,
    committed: bool,
}

impl Listing {
    /// Reads the log on a disk.
    fn read(disk: &Disk) -> io::Result<Self> {
        let found = inspect(disk).map_err(|error: StorageError| io::Error::other(error))?;
        let committed = found.committed;
        let line = |record: Record| Line { committed: record.order <= committed, record };
        Ok(Self {
            server: found.server,
            snapshot: found.snapshot,
            lines: found.records.into_iter().map(line).collect(),
            remarks: found.remarks,
        })
    }

    /// Fails if no file says whose it is: then no record was read either.
    fn of_a_server(self) -> io::Result<Self> {
        if self.server.is_some() {
            return Ok(self);
        }
        let problem = self.remarks.into_iter().next();
        Err(io::Error::other(problem.unwrap_or_else(|| "it holds no server's log".to_string())))
    }

    /// Prints whose log it is, what is before it, and what is wrong with it.
    fn write_head(&self, side: &str, out: &mut impl Write) -> io::Result<()> {
        let server = self.server.map_or("no server".to_string(), |server| server.to_string());
        writeln!(out, "{side}log of {server}, snapshot up to {}", self.snapshot)?;
        self.remarks.iter().try_for_each(|remark| writeln!(out, "{side}{remark}"))
    }

    /// The order of the first record in the log, or of the one to come.
    fn first_order(&self) -> u64 {
        self.lines.first().map_or(self.snapshot.order + 1, |line| line.record.order)
    }

    /// The order of the last record.
    fn last_order(&self) -> u64 {
        self.lines.last().map_or(self.snapshot.order, |line| line.record.order)
    }

    /// The line of the record with this order.
    fn line(&self, order: u64) -> Option<&Line> {
        let place = order.checked_sub(self.first_order())?;
        self.lines.get(place as usize)
    }
}

impl Line {
    /// What the columns are.
    const HEAD: &str = "   order epoch               client committed operation";
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Record { order, epoch, client, operation, .. } = &self.record;
        let committed = if self.committed { "yes" } else { "?" };
        write!(f, "{order:8} {epoch:5} {client:20} {committed:9} {operation}")
    }
}
