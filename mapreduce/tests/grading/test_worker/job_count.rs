use std::fs;
use std::time::Duration;

use labrpc::{AtomicU64, rng, sleep};
use mapreduce::{App, Emitter, Values};
use rand::RngExt;

/// Counts how often map ran, in any process.
#[derive(Default)]
pub struct JobCount {
    calls: AtomicU64,
}

impl App for JobCount {
    fn map(&self, _file: &str, _contents: &str, out: &mut Emitter<'_>) {
        let call = self.calls.fetch_add(1);
        let mark = format!("mr-worker-jobcount-{}-{call}", std::process::id());
        fs::write(mark, "x").expect("the directory is ours");
        sleep(Duration::from_millis(2000 + rng().random_range(0..3000_u64)));
        out.emit("a", "x");
    }

    fn reduce(&self, _key: &str, _values: Values<'_>) -> String {
        let entries = fs::read_dir(".").expect("the directory is ours");
        let is_mark = |entry: &fs::DirEntry| {
            entry.file_name().to_string_lossy().starts_with("mr-worker-jobcount")
        };
        entries.flatten().filter(is_mark).count().to_string()
    }
}
