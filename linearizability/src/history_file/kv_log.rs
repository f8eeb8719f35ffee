//! Key/value histories: one EDN-like map a line.

use std::collections::BTreeMap;

use super::ParseError;
use super::recorder::{EventType, Recorder};
use crate::{KvInput, KvOutput, Operation};

/// Reads a whole history.
pub(super) fn parse(text: &str) -> Result<Vec<Operation<KvInput, KvOutput>>, ParseError> {
    let mut recorder = Recorder::new();
    for (index, line) in text.lines().enumerate() {
        if !line.trim().is_empty() {
            parse_event(line.trim(), index as u64, &mut recorder)
                .map_err(|message| ParseError { line: index + 1, message })?;
        }
    }
    Ok(recorder.into_history())
}

/// Reads one line.
fn parse_event(
    line: &str,
    time: u64,
    recorder: &mut Recorder<KvInput, KvOutput>,
) -> Result<(), String> {
    let fields = parse_map(line)?;
    let field = |name| fields.get(name).ok_or_else(|| format!("{name} is missing"));
    let process = field(":process")?.word()?;
    let process = process.parse().map_err(|_| format!("{process:?} is not a process"))?;
    match EventType::parse(field(":type")?.word()?)? {
        EventType::Invoke => {
            let key = field(":key")?.text()?;
            let input = match field(":f")?.word()? {
                ":get" => KvInput::get(key),
                ":put" => KvInput::put(key, field(":value")?.text()?),
                ":append" => KvInput::append(key, field(":value")?.text()?),
                other => return Err(format!("unknown operation {other:?}")),
            };
            recorder.invoke(process, input, time)
        }
        EventType::Ok => {
            let operation = recorder.complete(process, time)?;
            operation.output = Some(match &operation.input {
                KvInput::Get { .. } => KvOutput::value(field(":value")?.text()?),
                KvInput::Put { .. } | KvInput::Append { .. } => KvOutput::Done,
            });
            Ok(())
        }
        EventType::Fail => recorder.fail(process),
        EventType::Info => recorder.abandon(process),
    }
}

/// What stands after a field's name.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    /// A number, a `:keyword` or `nil`.
    Word(String),
    /// A string in quotes, without them.
    Text(String),
}

impl Value {
    /// The value if it is not a string.
    fn word(&self) -> Result<&str, String> {
        match self {
            Value::Word(word) => Ok(word),
            Value::Text(text) => Err(format!("{text:?} should not be in quotes")),
        }
    }

    /// The value if it is a string.
    fn text(&self) -> Result<&str, String> {
        match self {
            Value::Text(text) => Ok(text),
            Value::Word(word) => Err(format!("{word} should be a string in quotes")),
        }
    }
}

/// Reads `{:name value, :name value}`.
fn parse_map(line: &str) -> Result<BTreeMap<String, Value>, String> {
    let inner = line.strip_prefix('{').ok_or("'{' expected")?;
    let mut rest = inner.strip_suffix('}').ok_or("'}' expected at the end")?;
    let mut fields = BTreeMap::new();
    loop {
        // Commas are blanks in EDN.
        rest = rest.trim_start_matches([' ', ',', '\t']);
        if rest.is_empty() {
            return Ok(fields);
        }
        let (name, after_name) = split_word(rest);
        if !name.starts_with(':') {
            return Err(format!("a field's name expected, found {name:?}"));
        }
        let (value, after_value) = parse_value(after_name.trim_start())?;
        fields.insert(name.to_string(), value);
        rest = after_value;
    }
}

/// Reads one value; also returns what follows it.
fn parse_value(text: &str) -> Result<(Value, &str), String> {
    let Some(quoted) = text.strip_prefix('"') else {
        let (word, rest) = split_word(text);
        if word.is_empty() {
            return Err("a value is missing".to_string());
        }
        return Ok((Value::Word(word.to_string()), rest));
    };
    let mut value = String::new();
    let mut chars = quoted.chars();
    while let Some(char) = chars.next() {
        match char {
            '"' => return Ok((Value::Text(value), chars.as_str())),
            '\\' => value.push(match chars.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some(same @ ('"' | '\\')) => same,
                other => return Err(format!("unknown escape {other:?}")),
            }),
            other => value.push(other),
        }
    }
    Err("a string without an end".to_string())
}

/// Splits at the first blank or comma.
fn split_word(text: &str) -> (&str, &str) {
    text.split_at(text.find([' ', ',', '\t']).unwrap_or(text.len()))
}
