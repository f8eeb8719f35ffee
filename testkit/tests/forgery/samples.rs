//! Student code that cheats. Each sample does something only when it is judged.
//!
//! In some the student's code has got hold of the socket, which safe code cannot: they show what the
//! judge makes of it.

#![expect(clippy::disallowed_methods, reason = "cheating students use what they find")]
#![expect(clippy::zombie_processes, reason = "samples that leave processes behind")]

use std::fs::{self, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::parent_id;
use std::process::{Command, id};
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use contract::record::{Assignment, Record, Run, Verdict};
use testkit::{Sim, lab_test};

/// What an honest sample reports.
pub(crate) const HONEST: &str = "expected one leader, got none";

/// The tests with these names.
macro_rules! samples {
    ($($name:ident $body:block)*) => {
        $(#[test] fn $name() { if std::env::var_os("LAB_JUDGED").is_some() $body })*
    };
}

samples! {
    // With the socket in the student's hands.
    no_nonce { with_socket(|_, run| vec![Record::new("", run).to_line()]) }
    old_nonce { with_socket(|_, run| vec![Record::new("5f3a9c21d4e87b60", run).to_line()]) }
    other_seed { with_socket(|it, run| vec![it.answer(Run { seed: run.seed + 1, ..run })]) }
    other_test { with_socket(|it, run| vec![it.answer(Run { test: "no_nonce".into(), ..run })]) }
    two_records { with_socket(|it, run| vec![it.answer(run.clone()), it.answer(run)]) }
    half_a_record { with_socket(|it, run| vec![it.answer(run)[..40].to_string()]) }
    other_words { with_socket(|_, _| vec!["test result: ok. 1 passed\n".to_string()]) }
    old_version {
        with_socket(|it, run| vec![it.answer(run).replace("\"version\":3", "\"version\":2")]);
    }
    record_of_a_thread_after_the_first {
        with_socket(|it, run| {
            let (line, mut socket) = (it.answer(run.clone()), it.socket.try_clone().unwrap());
            thread::spawn(move || socket.write_all(line.as_bytes()));
            thread::sleep(Duration::from_millis(200));
            vec![it.answer(Run { verdict: Verdict::Fail, ..run })]
        });
    }

    // With what safe code has.
    exits { cheat("exits", |_| std::process::exit(0)) }
    hook_exits { cheat("hook_exits", |sim| {
        std::panic::set_hook(Box::new(|_| std::process::exit(0)));
        fail_honestly(sim);
    }) }
    hook_rewrites_the_report { cheat("hook_rewrites_the_report", |sim| {
        std::panic::set_hook(Box::new(|_| rewrite_report()));
        thread::spawn(|| loop { rewrite_report() });
        fail_honestly(sim);
    }) }
    reopens_descriptors { cheat("reopens_descriptors", |sim| {
        thread::spawn(|| loop { write_to_all_descriptors() });
        write_to_all_descriptors();
        fail_honestly(sim);
    }) }
    reads_the_nonce { cheat("reads_the_nonce", |_| {
        assert_eq!(std::io::read_to_string(std::io::stdin()).unwrap(), "");
    }) }
    kills_itself { cheat("kills_itself", |sim| {
        send(&id().to_string());
        fail_honestly(sim);
    }) }
    kills_its_group { cheat("kills_its_group", |sim| {
        send("0");
        fail_honestly(sim);
    }) }
    kills_its_parent { cheat("kills_its_parent", |sim| {
        send(&parent_id().to_string());
        thread::sleep(Duration::from_millis(300)); // Until it is dead, and this run with it.
        fail_honestly(sim);
    }) }
    stops_its_parent { cheat("stops_its_parent", |sim| {
        send(&parent_id().to_string());
        fail_honestly(sim);
    }) }
    stops_its_parent_and_passes { cheat("stops_its_parent_and_passes", |_| {
        send(&parent_id().to_string());
    }) }
    kills_its_parent_and_passes { cheat("kills_its_parent_and_passes", |_| {
        send(&parent_id().to_string());
        thread::sleep(Duration::from_millis(300));
    }) }
    replaces_the_tests { cheat("replaces_the_tests", |_| {
        let tests = std::env::current_exe().unwrap();
        fs::copy("/bin/sh", tests.with_extension("other")).unwrap();
        fs::rename(tests.with_extension("other"), tests).unwrap();
    }) }
    removes_the_tests { cheat("removes_the_tests", |_| {
        fs::remove_file(std::env::current_exe().unwrap()).unwrap();
    }) }
    never_ends { cheat("never_ends", |_| loop { thread::park() }) }
    burns_the_processor { cheat("burns_the_processor", |_| loop { std::hint::spin_loop() }) }
    // In the first run it elects by RPCs, in later ones by what the servers share.
    shares_a_static { cheat("shares_a_static", |sim| {
        static LEADER: OnceLock<u64> = OnceLock::new();
        LEADER.get_or_init(|| {
            sim.sleep(Duration::from_millis(150));
            2
        });
    }) }
    leaves_a_daemon { cheat("leaves_a_daemon", |_| {
        Command::new("setsid").args(["sleep", "1213"]).spawn().unwrap();
        thread::sleep(Duration::from_millis(200)); // Until it has left the group.
    }) }
    leaves_a_child { cheat("leaves_a_child", |_| {
        Command::new("sleep").arg("1217").spawn().unwrap();
    }) }
}

/// The socket, and what the judge has sent.
struct Stolen {
    socket: UnixStream,
    assignment: Assignment,
}

impl Stolen {
    /// A record with the right nonce.
    fn answer(&self, run: Run) -> String {
        Record::new(&*self.assignment.nonce, run).to_line()
    }
}

/// Sends what `lines` makes of a passing run.
fn with_socket(lines: impl Fn(&Stolen, Run) -> Vec<String>) {
    let mut socket = UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned().unwrap());
    let mut line = String::new();
    BufReader::new(&socket).read_line(&mut line).unwrap();
    let assignment = Assignment::from_line(&line).unwrap();
    let Assignment { test, seed, policy, .. } = &assignment;
    let run = Run { verdict: Verdict::Pass, ..Run::new("raft", "2A", test, *seed, *policy) };
    let stolen = Stolen { socket: socket.try_clone().unwrap(), assignment };
    for line in lines(&stolen, run) {
        socket.write_all(line.as_bytes()).unwrap();
    }
}

/// A test in which student code does this.
fn cheat(name: &'static str, student: impl Fn(&Sim) + Send + Sync + 'static) {
    lab_test(name, student);
}

/// An honest failure.
fn fail_honestly(sim: &Sim) -> ! {
    sim.violated("one leader per term", HONEST);
}

/// Sends the signal that the environment names to a process, by means of safe code.
fn send(process: &str) {
    let signal = std::env::var("SIGNAL").unwrap();
    let line = format!("kill -{signal} {process}");
    Command::new("sh").args(["-c", &line]).status().unwrap();
}

/// A passing record, as far as it can be guessed.
fn forged_line() -> String {
    let run = Run { verdict: Verdict::Pass, ..Run::new("raft", "2A", "any", 1, None) };
    Record::new("", run).to_line()
}

/// Replaces, renames and truncates the file for people, wherever it may be.
fn rewrite_report() {
    let path = std::env::var("LAB_REPORT").unwrap();
    let text = fs::read_to_string(&path).unwrap_or_default();
    fs::write(&path, text.replace("\"verdict\":\"fail\"", "\"verdict\":\"pass\"")).ok();
    fs::rename(&path, path.clone() + "-gone").ok();
    fs::write(&path, forged_line()).ok();
}

/// Opens whatever this process has open once more, and writes a passing record to it.
fn write_to_all_descriptors() {
    for directory in ["/dev/fd", "/proc/self/fd"] {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            let target = fs::read_link(entry.path()).unwrap_or_default();
            if target.to_string_lossy().starts_with("socket:")
                && let Ok(mut file) = OpenOptions::new().write(true).open(entry.path())
            {
                file.write_all(forged_line().as_bytes()).ok();
            }
        }
    }
}
