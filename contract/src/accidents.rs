//! Accidents: what distinguishes a run from a calm one, and which of them may happen.
//!
//! A simulated run is calm if no message is lost or delayed, no task stands still, and every coin
//! that the test tosses falls on its mild side. Each deviation from that is an accident. In the
//! *keyed mode*, a draw depends on what it decides and not on the draws before it, so an accident
//! has an identity, and a failing run can be repeated with fewer of them.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

#[cfg(feature = "record")]
use serde::{Deserialize, Serialize};

/// Every accident that the seed draws happens at this rate.
pub const FULL_RATE: u32 = 256;

/// What identifies an accident among all that a program can meet: eight hexadecimal digits. It does
/// not depend on the seed or on the number of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "record", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "record", serde(into = "String", try_from = "String"))]
pub struct AccidentId(pub u32);

impl fmt::Display for AccidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl From<AccidentId> for String {
    fn from(id: AccidentId) -> Self {
        id.to_string()
    }
}

impl FromStr for AccidentId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_id = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u32::from_str_radix(text, 16).ok().filter(|_| is_id);
        number.map(Self).ok_or_else(|| {
            format!("'{text}' is not an accident: expected 8 hexadecimal digits, such as 6273d91b")
        })
    }
}

impl TryFrom<String> for AccidentId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// The kinds of accidents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "record", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "record", serde(rename_all = "kebab-case"))]
pub enum AccidentKind {
    /// A request is lost.
    RequestLost,
    /// A request is delayed.
    RequestDelayed,
    /// A reply is lost.
    ReplyLost,
    /// A reply is held back.
    ReplyHeld,
    /// A task of a server stands still.
    Stall,
    /// A coin that the test tosses does not fall on its mild side.
    Coin,
}

/// An accident that has happened.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "record", derive(Serialize, Deserialize))]
pub struct Accident {
    /// Its identity.
    pub id: AccidentId,
    /// Its kind.
    pub kind: AccidentKind,
    /// Seconds of virtual time since the start of the run.
    pub at: f64,
    /// What happened, as a sentence.
    pub text: String,
}

/// The accidents that may happen in a run in the keyed mode. They do happen if the seed draws them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "record", derive(Serialize, Deserialize))]
pub struct Accidents {
    /// The only ones that may happen; `None` for all.
    pub only: Option<BTreeSet<AccidentId>>,
    /// How many of [`FULL_RATE`] that the seed draws happen. Those of a lower rate happen at a
    /// higher one, too.
    pub rate: u32,
    /// How to write the setting, if it is not the list.
    pub source: Option<String>,
}

impl Accidents {
    /// All accidents, at this rate.
    pub fn all(rate: u32) -> Self {
        Self { only: None, rate, source: None }
    }

    /// These accidents and no others.
    pub fn only(ids: impl IntoIterator<Item = AccidentId>) -> Self {
        Self { only: Some(ids.into_iter().collect()), rate: FULL_RATE, source: None }
    }

    /// Parses a list of ids between commas or white space, `none`, `all`, or `@FILE` for a file
    /// that contains one of these. The file is searched for in the working directory and in those
    /// above it, because cargo runs tests in the directory of their package.
    ///
    /// # Errors
    /// If the text is not such a setting; the error says why.
    pub fn from_setting(text: &str) -> Result<Self, String> {
        let Some(file) = text.strip_prefix('@') else { return text.parse() };
        let path = find(Path::new(file));
        let list =
            fs::read_to_string(&path).map_err(|error| format!("cannot read {file}: {error}"))?;
        let accidents: Self = list.parse().map_err(|problem| format!("{file}: {problem}"))?;
        Ok(Self { source: Some(text.to_string()), ..accidents })
    }
}

/// Where a file is, if it is in this directory or in one above it.
fn find(file: &Path) -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    let found = here.ancestors().map(|directory| directory.join(file)).find(|path| path.exists());
    found.unwrap_or_else(|| file.to_path_buf())
}

impl FromStr for Accidents {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            "all" => return Ok(Self::all(FULL_RATE)),
            "none" => return Ok(Self::only([])),
            _ => {}
        }
        let words = text.split(|c: char| c == ',' || c.is_whitespace());
        let ids = words.filter(|word| !word.is_empty()).map(str::parse);
        let ids: BTreeSet<AccidentId> = ids.collect::<Result<_, String>>()?;
        if ids.is_empty() {
            return Err("the list of accidents is empty: use none, all, ids or @FILE".to_string());
        }
        Ok(Self::only(ids))
    }
}

/// The setting that [`Accidents::from_setting`] parses; the rate is not part of it.
impl fmt::Display for Accidents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.source, &self.only) {
            (Some(source), _) => f.write_str(source),
            (None, None) => f.write_str("all"),
            (None, Some(only)) if only.is_empty() => f.write_str("none"),
            (None, Some(only)) => {
                let ids: Vec<String> = only.iter().map(ToString::to_string).collect();
                f.write_str(&ids.join(","))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_parsed_and_written() {
        for text in ["all", "none", "0273d91b,ebb88e4c"] {
            assert_eq!(text.parse::<Accidents>().unwrap().to_string(), text);
        }
        let list = Accidents::only([AccidentId(0xebb8_8e4c), AccidentId(0x0273_d91b)]);
        assert_eq!("ebb88e4c\n0273D91B\n".parse(), Ok(list));
    }

    #[test]
    fn errors_name_the_word_and_the_file() {
        let error = "6273d91b,stall".parse::<Accidents>().unwrap_err();
        let expected =
            "'stall' is not an accident: expected 8 hexadecimal digits, such as 6273d91b";
        assert_eq!(error, expected);
        assert!("".parse::<Accidents>().unwrap_err().contains("is empty"));
        assert!("+273d91b".parse::<Accidents>().is_err());
        let error = Accidents::from_setting("@no/such/file").unwrap_err();
        assert!(error.starts_with("cannot read no/such/file: "), "{error}");
    }

    #[test]
    fn files_are_found_from_a_directory_below() {
        let accidents = Accidents::from_setting("@contract/src/no-list.txt");
        assert!(accidents.is_err());
        let error = Accidents::from_setting("@contract/Cargo.toml").unwrap_err();
        assert!(
            error.starts_with("contract/Cargo.toml: '[package]' is not an accident"),
            "{error}"
        );
    }
}
