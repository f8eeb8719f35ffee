//! Properties of every correct program, in the words of reports.
//!
//! A failure that breaks one of them is told from another by what was observed: a panic by its
//! message. The properties of labs stand in their tests.

/// A task has panicked.
pub const NO_PANICS: &str = "nothing panics";

/// A test on real threads or with processes has panicked itself.
pub const CHECKS_HOLD: &str = "all checks of the test hold";

/// Tasks wait for locks or messages forever.
pub const NO_DEADLOCK: &str = "tasks do not wait for each other";

/// The run has reached its limit of time.
pub const ENDS_IN_TIME: &str = "the test ends in time";

/// There are too many tasks.
pub const TASKS_END: &str = "tasks that were started also end";

/// A task computes for too long.
pub const TASKS_YIELD: &str = "tasks leave the processor to others";

/// A task waits for something that the runtime does not know.
pub const WAITS_ARE_KNOWN: &str = "tasks wait only by means of labrpc";

/// The process has ended without a record.
pub const ENDS_WITH_RECORD: &str = "a run ends with its completion record";

/// The end of the property that a call of a function breaks which is to be written.
pub const UNWRITTEN: &str = " is written";

/// Whether a run that breaks this property ended at a function that is still to be written: then
/// usual mistakes are not the cause.
pub fn is_unwritten(property: &str) -> bool {
    property.ends_with(UNWRITTEN)
}

/// All of them, but for functions that are to be written.
pub const GENERAL: [&str; 8] = [
    NO_PANICS,
    CHECKS_HOLD,
    NO_DEADLOCK,
    ENDS_IN_TIME,
    TASKS_END,
    TASKS_YIELD,
    WAITS_ARE_KNOWN,
    ENDS_WITH_RECORD,
];

/// A text with `#` in place of each number: two runs that break the same property say the same but for
/// numbers.
pub fn without_numbers(text: &str) -> String {
    let mut result = String::new();
    for c in text.chars() {
        match c {
            '0'..='9' if result.ends_with('#') => {}
            '0'..='9' => result.push('#'),
            c => result.push(c),
        }
    }
    result
}
