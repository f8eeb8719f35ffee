//! A plain table: columns as wide as their widest cell.

use anstyle::Style;
use contract::record::Exit;

use crate::term::{BAD, BOLD, DOUBTFUL, paint};

/// Where the text of a cell is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Align {
    #[default]
    Left,
    /// For numbers.
    Right,
}

/// A table with a headline.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    /// The first row is the headline.
    rows: Vec<(Vec<String>, Style)>,
    /// The alignment of the first columns.
    align: Vec<Align>,
}

impl Table {
    /// A table with these columns and no rows.
    pub(crate) fn new(head: &[&str]) -> Self {
        let head = head.iter().map(|title| title.to_string()).collect();
        Self { rows: vec![(head, BOLD)], align: Vec::new() }
    }

    /// Aligns the first columns; the others stay left.
    pub(crate) fn align(&mut self, align: &[Align]) {
        self.align = align.to_vec();
    }

    /// Adds a row, coloured by its outcome.
    pub(crate) fn push(&mut self, row: Vec<String>, exit: Exit) {
        let style = match exit {
            Exit::Failed => BAD,
            Exit::Harness | Exit::Inconclusive => DOUBTFUL,
            _ => Style::new(),
        };
        self.rows.push((row, style));
    }

    /// The table's lines, each in its style.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.padded().map(|(line, style)| paint(style, line)).collect()
    }

    /// The table without colours.
    pub(crate) fn plain(&self) -> String {
        self.padded().map(|(line, _)| line + "\n").collect()
    }

    fn padded(&self) -> impl Iterator<Item = (String, Style)> + '_ {
        let columns = self.rows.iter().map(|(row, _)| row.len()).max().unwrap_or(0);
        let width = |column: usize| {
            self.rows.iter().filter_map(|(row, _)| row.get(column)).map(String::len).max()
        };
        let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
        self.rows.iter().map(move |(row, style)| {
            let cell = |(i, text): (usize, &String)| {
                let width = widths[i];
                match self.align.get(i).copied().unwrap_or_default() {
                    Align::Left => format!("{text:<width$}"),
                    Align::Right => format!("{text:>width$}"),
                }
            };
            let cells: Vec<String> = row.iter().enumerate().map(cell).collect();
            (cells.join("  ").trim_end().to_string(), *style)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_they_must_be() {
        let mut table = Table::new(&["Test", "Failed", "Seed"]);
        table.align(&[Align::Left, Align::Right]);
        table.push(vec!["initial".into(), "12".into(), "-".into()], Exit::Passed);
        assert_eq!(table.plain(), "Test     Failed  Seed\ninitial      12  -\n");
    }
}
