//! The server that the tests call, and the log that it writes.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, Once};
use std::time::Duration;

use labrpc::socket::{self, Address, Limits, Listener, Options};
use labrpc::{AtomicU64, ClientEnd, Instant, Server, Service, sleep};
use log::{LevelFilter, Log, Metadata, Record};
use tempfile::TempDir;

/// A directory with a socket in it, and a server behind that.
pub struct Fixture {
    /// The server; taken by tests that shut it down.
    pub listener: Option<Listener>,
    /// How often `Test.Count` ran, or `Test.Nap` began.
    pub count: Arc<AtomicU64>,
    directory: TempDir,
}

impl Fixture {
    /// A server on a Unix-domain socket with the usual limits.
    pub fn new() -> Self {
        Self::with_limits(Limits::default())
    }

    /// A server on a Unix-domain socket with these limits.
    pub fn with_limits(limits: Limits) -> Self {
        let directory = directory();
        let count = Arc::new(AtomicU64::new(0));
        let mut fixture = Self { listener: None, count, directory };
        fixture.start(limits);
        fixture
    }

    /// Starts the server, after a shutdown.
    pub fn start(&mut self, limits: Limits) {
        let server = server(Arc::clone(&self.count));
        let listener = socket::listen_with(&self.address(), server, limits);
        self.listener = Some(listener.expect("the directory is ours"));
    }

    /// Shuts the server down.
    pub fn stop(&mut self) {
        self.listener.take().expect("the server runs").shutdown();
    }

    /// Path of the socket.
    pub fn path(&self) -> PathBuf {
        self.directory.path().join("socket")
    }

    /// Address of the server.
    pub fn address(&self) -> Address {
        Address::Unix(self.path())
    }

    /// A caller with the usual options.
    pub fn end(&self) -> ClientEnd {
        socket::connect(&self.address(), Options::default())
    }

    /// A caller that waits no longer than this.
    pub fn hasty_end(&self, call_timeout: Duration) -> ClientEnd {
        socket::connect(&self.address(), Options { call_timeout, ..Options::default() })
    }

    /// Asserts that the server still works, for callers old and new.
    pub fn check_alive(&self) {
        assert_eq!(self.end().call("Test.Twice", &"ab".to_string()), Ok("abab".to_string()));
    }
}

/// A directory for sockets. A socket's path has at most 103 bytes on some systems, and `TMPDIR` may
/// take most of them, so it is not asked.
pub fn directory() -> TempDir {
    tempfile::tempdir_in("/tmp").expect("temporary directories can be made")
}

/// The server that the tests call.
pub fn server(count: Arc<AtomicU64>) -> Server {
    let napping = Arc::clone(&count);
    let service = Service::new("Test")
        .method("Twice", |text: String| text.repeat(2))
        .method("Bytes", |bytes: Vec<u8>| bytes)
        .method("Zeros", |length: u32| vec![0_u8; length as usize])
        .method("Sleep", |millis: u64| sleep(Duration::from_millis(millis)))
        .method("Nap", move |millis: u64| {
            napping.fetch_add(1);
            sleep(Duration::from_millis(millis));
        })
        .method("Count", move |(): ()| count.fetch_add(1) + 1)
        .method("Panic", |(): ()| -> () { panic!("the handler was told to panic") });
    Server::new().with(service)
}

/// Lines that were logged by any test of this process.
static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Keeps what is logged.
struct Keeper;

impl Log for Keeper {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let line = format!("{} {}", record.target(), record.args());
        LINES.lock().expect("no thread panics meanwhile").push(line);
    }

    fn flush(&self) {}
}

/// Begins to keep what is logged.
pub fn keep_log() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        log::set_logger(&Keeper).expect("the process has no other logger");
        log::set_max_level(LevelFilter::Warn);
    });
}

/// Waits until a line with this text has been logged.
pub fn wait_for_line(text: &str) {
    wait_until(&format!("'{text}' is logged"), || {
        LINES.lock().expect("no thread panics meanwhile").iter().any(|line| line.contains(text))
    });
}

/// The lines with this text that have been logged.
pub fn lines(text: &str) -> Vec<String> {
    let lines = LINES.lock().expect("no thread panics meanwhile");
    lines.iter().filter(|line| line.contains(text)).cloned().collect()
}

/// Waits until something is so, for a minute at most: that is long also on a busy machine.
pub fn wait_until(goal: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(60), "waited too long until {goal}");
        sleep(Duration::from_millis(5));
    }
}
