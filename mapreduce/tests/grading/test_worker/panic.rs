use std::path::Path;
use std::time::Duration;

use labrpc::sleep;
use mapreduce::{App, Emitter, Values};

/// Counts files, but panics at those whose names contain "grimm".
pub struct Panic {
    /// What a panic says of the file.
    message: Box<dyn Fn() -> String + Send + Sync>,
}

impl Panic {
    pub fn new(message: impl Fn() -> String + Send + Sync + 'static) -> Self {
        Self { message: Box::new(message) }
    }
}

impl App for Panic {
    fn map(&self, file: &str, _contents: &str, out: &mut Emitter<'_>) {
        assert!(!file.contains("grimm"), "{file} {}", (self.message)());
        out.emit("files", "1");
    }

    fn reduce(&self, _key: &str, values: Values<'_>) -> String {
        values.count().to_string()
    }
}

/// Says that a temporary file could not be written.
pub fn random_name() -> String {
    let file = tempfile::NamedTempFile::new().expect("temporary files can be made");
    format!("cannot be copied to {}: no space left", file.path().display())
}

/// Counts files under two keys. The reduce call for one of them panics when the output with the
/// other one is there.
#[derive(Default)]
pub struct LastReducePanics;

impl App for LastReducePanics {
    fn map(&self, _file: &str, _contents: &str, out: &mut Emitter<'_>) {
        ["c", "d"].into_iter().for_each(|key| out.emit(key, "1")); // Reduces 0 and 5 of ten.
    }

    fn reduce(&self, key: &str, values: Values<'_>) -> String {
        if key == "d" {
            while !Path::new("mr-out-0").exists() {
                sleep(Duration::from_millis(10));
            }
            panic!("the last reduce call fails");
        }
        values.count().to_string()
    }
}
