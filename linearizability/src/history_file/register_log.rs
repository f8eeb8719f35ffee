//! Logs of a Jepsen test of an etcd register.

use super::ParseError;
use super::recorder::{EventType, Recorder};
use crate::{Operation, RegisterInput, RegisterOutput};

/// What lines begin with that describe an event. All others are something else's log.
pub(super) const PREFIX: &str = "INFO  jepsen.util - ";

/// Reads a whole history.
pub(super) fn parse(
    text: &str,
) -> Result<Vec<Operation<RegisterInput, RegisterOutput>>, ParseError> {
    let mut recorder = Recorder::new();
    for (index, line) in text.lines().enumerate() {
        if let Some(event) = line.trim_start().strip_prefix(PREFIX) {
            parse_event(event, index as u64, &mut recorder)
                .map_err(|message| ParseError { line: index + 1, message })?;
        }
    }
    Ok(recorder.into_history())
}

/// Reads one event: process, type, function and value, with tabs or blanks between them.
fn parse_event(
    event: &str,
    time: u64,
    recorder: &mut Recorder<RegisterInput, RegisterOutput>,
) -> Result<(), String> {
    let Some([process, event_type, function, value]) = columns(event) else {
        return Err("process, type, function and value expected".to_string());
    };
    // The process that makes faults; it does not touch the register.
    if process == ":nemesis" {
        return Ok(());
    }
    let process = process.parse().map_err(|_| format!("{process:?} is not a process"))?;
    match (EventType::parse(event_type)?, function) {
        (EventType::Invoke, _) => recorder.invoke(process, parse_input(function, value)?, time),
        (EventType::Ok, ":read") => {
            recorder.complete(process, time)?.output = Some(RegisterOutput::Value(nil_or(value)?));
            Ok(())
        }
        (EventType::Ok, ":write") => {
            recorder.complete(process, time)?.output = Some(RegisterOutput::Written);
            Ok(())
        }
        (EventType::Ok, ":cas") => {
            recorder.complete(process, time)?.output = Some(RegisterOutput::Swapped);
            Ok(())
        }
        // The register held something else, which is worth knowing.
        (EventType::Fail, ":cas") => {
            recorder.complete(process, time)?.output = Some(RegisterOutput::Mismatch);
            Ok(())
        }
        (EventType::Ok, _) => Err(format!("unknown operation {function:?}")),
        (EventType::Fail, _) => recorder.fail(process),
        (EventType::Info, _) => recorder.abandon(process),
    }
}

/// Splits an event at its white space. A pair in brackets is one column although it contains a
/// blank; columns after the value tell why an operation failed, and are left out.
fn columns(event: &str) -> Option<[&str; 4]> {
    let (process, rest) = event.trim().split_once(char::is_whitespace)?;
    let (event_type, rest) = rest.trim_start().split_once(char::is_whitespace)?;
    let (function, rest) = rest.trim_start().split_once(char::is_whitespace)?;
    let rest = rest.trim_start();
    let end = if rest.starts_with('[') {
        rest.find(']').map(|last| last + 1)
    } else {
        rest.find(char::is_whitespace)
    };
    Some([process, event_type, function, &rest[..end.unwrap_or(rest.len())]])
}

/// Reads what was called.
fn parse_input(function: &str, value: &str) -> Result<RegisterInput, String> {
    match function {
        ":read" => Ok(RegisterInput::Read),
        ":write" => Ok(RegisterInput::Write(number(value)?)),
        ":cas" => {
            let pair = value.strip_prefix('[').and_then(|value| value.strip_suffix(']'));
            let pair = pair.and_then(|pair| pair.trim().split_once(char::is_whitespace));
            let (expected, new) = pair.ok_or_else(|| format!("{value:?} is not a pair"))?;
            Ok(RegisterInput::Cas { expected: number(expected)?, new: number(new)? })
        }
        other => Err(format!("unknown operation {other:?}")),
    }
}

/// Reads a number, or none.
fn nil_or(value: &str) -> Result<Option<i64>, String> {
    if value == "nil" { Ok(None) } else { number(value).map(Some) }
}

/// Reads a number.
fn number(value: &str) -> Result<i64, String> {
    value.trim().parse().map_err(|_| format!("{value:?} is not a number"))
}
