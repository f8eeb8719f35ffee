use mapreduce::{App, Emitter, Values};

/// Counts files, but panics at those whose names contain "grimm".
pub struct Panic;

impl App for Panic {
    fn map(&self, file: &str, _contents: &str, out: &mut Emitter<'_>) {
        assert!(!file.contains("grimm"), "{file} is too frightening");
        out.emit("files", "1");
    }

    fn reduce(&self, _key: &str, values: Values<'_>) -> String {
        values.count().to_string()
    }
}
