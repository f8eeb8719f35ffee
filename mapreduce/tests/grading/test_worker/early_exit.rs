use std::time::Duration;

use labrpc::sleep;
use mapreduce::{App, Emitter, Values};

/// Some reduce calls take long: a process that leaves when no task is idle leaves too early.
pub struct EarlyExit;

impl App for EarlyExit {
    fn map(&self, file: &str, _contents: &str, out: &mut Emitter<'_>) {
        out.emit(file, "1");
    }

    fn reduce(&self, key: &str, values: Values<'_>) -> String {
        if key.contains("sherlock") || key.contains("tom") {
            sleep(Duration::from_secs(3));
        }
        values.count().to_string()
    }
}
