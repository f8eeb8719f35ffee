use std::fs;
use std::process;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use labrpc::sleep;
use mapreduce::{App, Emitter, Values};
use rustix::process::{Pid, test_kill_process};

use crate::join_sorted;

/// Do map tasks run at the same time?
pub struct MapTiming;

impl App for MapTiming {
    #[expect(clippy::disallowed_methods, reason = "processes compare their wall clocks")]
    fn map(&self, _file: &str, _contents: &str, out: &mut Emitter<'_>) {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let pid = process::id();
        let living = count_living("map");
        out.emit(&format!("times-{pid}"), &format!("{:.1}", since.as_secs_f64()));
        out.emit(&format!("parallel-{pid}"), &living.to_string());
    }

    fn reduce(&self, _key: &str, values: Values<'_>) -> String {
        join_sorted(values)
    }
}

/// Do reduce tasks run at the same time?
pub struct ReduceTiming;

impl App for ReduceTiming {
    fn map(&self, _file: &str, _contents: &str, out: &mut Emitter<'_>) {
        "a b c d e f g h i j".split(' ').for_each(|key| out.emit(key, "1"));
    }

    fn reduce(&self, _key: &str, _values: Values<'_>) -> String {
        count_living("reduce").to_string()
    }
}

/// How many living processes are in this phase just now, this one included.
fn count_living(phase: &str) -> usize {
    let prefix = format!("mr-worker-{phase}-");
    let mark = format!("{prefix}{}", process::id());
    fs::write(&mark, "x").expect("the directory is ours");
    let entries = fs::read_dir(".").expect("the directory is ours");
    let living = entries.flatten().filter(|entry| {
        let name = entry.file_name();
        let pid = name.to_str().and_then(|name| name.strip_prefix(&prefix)?.parse().ok());
        pid.and_then(Pid::from_raw).is_some_and(|pid| test_kill_process(pid).is_ok())
    });
    let living = living.count();
    sleep(Duration::from_secs(1));
    fs::remove_file(&mark).expect("it is our own mark");
    living
}
