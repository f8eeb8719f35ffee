//! The position of a line of a log: one column per server, next to time and topic.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use anstyle::{AnsiColor, Color, Style};

use super::line::{Line, Server};

/// The minimum width of a column, even on a narrow terminal.
const NARROWEST: usize = 12;

/// Spaces between two columns.
const GAP: usize = 2;

/// The columns of a log.
#[derive(Debug)]
pub(super) struct Columns {
    /// The number of columns.
    count: usize,
    /// Whether a new server adds a column.
    can_grow: bool,
    /// The width of the terminal in characters.
    width: usize,
    /// The column of each server that has one.
    places: BTreeMap<Server, usize>,
}

impl Columns {
    /// A fixed number of columns. Server 3 gets the fourth column; servers of groups get free
    /// columns in the order in which they appear.
    pub(super) fn new(count: usize, width: usize) -> Self {
        Self { count, can_grow: false, width, places: BTreeMap::new() }
    }

    /// A column for each of these servers, in their order. New servers add columns.
    pub(super) fn of(servers: BTreeSet<Server>, width: usize) -> Self {
        let count = servers.len();
        let places = servers.into_iter().zip(0..).collect();
        Self { count, can_grow: true, width, places }
    }

    /// Prints a line in the column of its server. A line without a server, or of a server without
    /// a column, takes the full width.
    pub(super) fn print(&mut self, out: &mut impl Write, line: &Line<'_>) -> io::Result<()> {
        let style = style(line.topic);
        let margin = format!("{:06} {} ", line.time, line.topic);
        let place = line.server().and_then(|server| self.place(server));
        let Some(place) = place.filter(|_| self.count > 1) else {
            return writeln!(out, "{margin}{style}{}{style:#}", line.message);
        };
        let width = (self.width.saturating_sub(margin.len()) / self.count).max(NARROWEST);
        let indent = " ".repeat(width * place);
        for (number, text) in wrap(line.message, width - GAP).iter().enumerate() {
            let margin = if number == 0 { margin.clone() } else { " ".repeat(margin.len()) };
            writeln!(out, "{margin}{indent}{style}{text}{style:#}")?;
        }
        Ok(())
    }

    /// The column of a server; assigns a free one if it has none.
    fn place(&mut self, server: Server) -> Option<usize> {
        if let Some(place) = self.places.get(&server) {
            return Some(*place);
        }
        if self.can_grow {
            self.places.insert(server, self.count);
            self.count += 1;
            return Some(self.count - 1);
        }
        let number = usize::try_from(server.number).ok()?;
        let place = if server.is_grouped() { self.places.len() } else { number };
        (place < self.count).then(|| *self.places.entry(server).or_insert(place))
    }
}

/// Breaks a text into lines of at most `width` characters, between words where it can.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > width {
            lines.push(String::new());
            used = 0;
        }
        if used > 0 {
            push(&mut lines, ' ');
            used += 1;
        }
        for c in word.chars() {
            if used == width {
                lines.push(String::new());
                used = 0;
            }
            push(&mut lines, c);
            used += 1;
        }
    }
    lines
}

/// Adds a character to the last line.
fn push(lines: &mut [String], c: char) {
    if let Some(line) = lines.last_mut() {
        line.push(c);
    }
}

/// The colour of a topic, as close to the course's as 16 colours allow.
fn style(topic: &str) -> Style {
    let color = match topic {
        "TIMR" | "TRCE" => AnsiColor::BrightBlack,
        "VOTE" | "CLNT" => AnsiColor::Cyan,
        "LEAD" | "WARN" => AnsiColor::Yellow,
        "TERM" | "CMIT" => AnsiColor::Green,
        "LOG1" => AnsiColor::Blue,
        "LOG2" => AnsiColor::BrightBlue,
        "PERS" => AnsiColor::Magenta,
        "SNAP" => AnsiColor::BrightMagenta,
        "DROP" | "ERRO" => AnsiColor::Red,
        "TEST" => return Style::new().bold(),
        _ => return Style::new(),
    };
    Style::new().fg_color(Some(Color::Ansi(color)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is printed of these lines, without colours.
    fn printed(mut columns: Columns, lines: &[&str]) -> String {
        let mut out = anstream::StripStream::new(Vec::new());
        for line in lines {
            columns.print(&mut out, &Line::parse(line).unwrap()).unwrap();
        }
        String::from_utf8(out.into_inner()).unwrap()
    }

    #[test]
    fn servers_stand_in_their_columns() {
        let text =
            printed(Columns::new(2, 42), &["000001 VOTE S1@2 asks", "000002 TEST connect S1"]);
        assert_eq!(text, "000001 VOTE                S1@2 asks\n000002 TEST connect S1\n");
    }

    #[test]
    fn late_servers_add_columns() {
        let lines = ["000001 VOTE S0@2 asks", "000002 VOTE S1@2 votes"];
        let text = printed(Columns::of(BTreeSet::new(), 42), &lines);
        assert_eq!(text, "000001 VOTE S0@2 asks\n000002 VOTE                S1@2 votes\n");
    }

    #[test]
    fn long_messages_are_wrapped() {
        let text = printed(Columns::new(2, 42), &["000001 VOTE S0@2 asks everybody for a vote"]);
        let margin = " ".repeat(12);
        assert_eq!(text, format!("000001 VOTE S0@2 asks\n{margin}everybody for\n{margin}a vote\n"));
        assert_eq!(wrap("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
    }

    #[test]
    fn groups_get_columns_as_they_come() {
        let lines = ["000001 INFO G101.S0 x", "000001 INFO G100.S11 y", "000001 INFO G9.S0 z"];
        let text = printed(Columns::new(2, 42), &lines);
        assert_eq!(
            text,
            "000001 INFO G101.S0 x\n000001 INFO                G100.S11 y\n000001 INFO G9.S0 z\n"
        );
    }
}
