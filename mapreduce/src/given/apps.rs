//! The apps that the programs know by name.

mod grep;
mod indexer;
mod word_count;
mod words;

pub use self::grep::Grep;
pub use self::indexer::Indexer;
pub use self::word_count::WordCount;
use crate::given::app::App;

/// For the help of the programs.
pub const NAMES: &str = "wc, indexer, or grep PATTERN";

/// The app of this name. Takes its arguments off the front of `args`.
///
/// # Errors
/// If there is no such app, or an argument is missing or wrong, for the user.
pub fn find(name: &str, args: &mut Vec<String>) -> Result<Box<dyn App>, String> {
    match name {
        "wc" => Ok(Box::new(WordCount)),
        "indexer" => Ok(Box::new(Indexer)),
        "grep" if args.is_empty() => Err("grep needs a PATTERN".to_string()),
        "grep" => Ok(Box::new(Grep::new(&args.remove(0))?)),
        _ => Err(format!("there is no app '{name}': use {NAMES}")),
    }
}
