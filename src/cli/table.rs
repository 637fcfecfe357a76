//! Tables and lists of facts. At a terminal, columns wrap to its width; elsewhere each row is
//! one line, however wide, so that `grep` and `awk` work.

use std::fmt::{Display, Write as _};

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Width, presets};

/// What stands where there is nothing.
pub(super) const NONE: &str = "-";

/// A table without lines.
#[derive(Debug)]
pub(super) struct Table {
    inner: comfy_table::Table,
    /// The longest word of each column: narrower than that it doesn't get.
    words: Vec<usize>,
}

impl Table {
    /// A table with these columns.
    pub(super) fn new<H: AsRef<str>>(header: impl IntoIterator<Item = H>) -> Self {
        let header: Vec<String> = header.into_iter().map(|h| clean(h.as_ref())).collect();
        let mut inner = comfy_table::Table::new();
        inner.load_style(presets::NOTHING);
        inner.set_content_arrangement(ContentArrangement::Dynamic);
        inner.set_header(&header);
        for column in inner.column_iter_mut() {
            column.set_padding((0, GAP));
        }
        let words = header.iter().map(|title| longest_word(title)).collect();
        Self { inner, words }
    }

    /// Aligns columns of numbers, counted from 0, to the right.
    #[must_use]
    pub(super) fn numbers(mut self, columns: impl IntoIterator<Item = usize>) -> Self {
        for index in columns {
            if let Some(column) = self.inner.column_mut(index) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        self
    }

    /// Adds a row.
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let cells: Vec<String> = cells.into_iter().map(|cell| clean(&cell)).collect();
        for (longest, cell) in self.words.iter_mut().zip(&cells) {
            *longest = longest_word(cell).max(*longest);
        }
        self.inner.add_row(cells);
    }

    /// The text, with a line break at its end.
    pub(super) fn render(mut self) -> String {
        for (column, longest) in self.inner.column_iter_mut().zip(&self.words) {
            let width = u16::try_from(*longest).unwrap_or(u16::MAX);
            let least = Width::Fixed(width.min(WORD).saturating_add(GAP));
            column.set_constraint(ColumnConstraint::LowerBoundary(least));
        }
        self.inner.trim_fmt() + "\n"
    }
}

/// Blanks between two columns.
const GAP: u16 = 2;

/// The longest word that is never broken: ids are as long.
const WORD: u16 = 36;

fn longest_word(text: &str) -> usize {
    let words = text.split(' ').map(|word| word.chars().count());
    words.max().unwrap_or(0)
}

/// Named facts, one a line, the values aligned.
pub(super) fn facts<'a>(facts: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let facts: Vec<_> = facts.into_iter().collect();
    let width = facts.iter().map(|(name, _)| name.chars().count()).max();
    let width = width.unwrap_or(0);
    facts.iter().fold(String::new(), |mut text, (name, value)| {
        let _ = writeln!(text, "{name:width$}  {}", clean(value));
        text
    })
}

/// A text moved two columns to the right.
pub(super) fn indented(text: &str) -> String {
    let lines = text.lines().flat_map(|line| ["  ", line, "\n"]);
    lines.collect()
}

/// The text of a value, or a dash.
pub(super) fn or_none(value: Option<impl Display>) -> String {
    value.map_or_else(|| NONE.to_owned(), |value| value.to_string())
}

/// The texts of a list, by commas, or a dash.
pub(super) fn joined(values: &[String]) -> String {
    if values.is_empty() {
        NONE.to_owned()
    } else {
        values.join(", ")
    }
}

/// A number with its noun: `1 entry`, `2 entries`.
pub(super) fn counted(count: u64, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}

/// `yes` or `no`.
pub(super) fn yes_no(value: bool) -> String {
    if value { "yes" } else { "no" }.to_owned()
}

/// A person: their name with the id behind it, or the id alone.
pub(super) fn person(id: &str, name: Option<&str>) -> String {
    match name {
        Some(name) if name != id => format!("{name} ({id})"),
        _ => id.to_owned(),
    }
}

/// A text on one line that can't steer the terminal: other people wrote it.
pub(super) fn clean(text: &str) -> String {
    let steers = |c| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let replaced = |c: char| match c {
        c if c.is_whitespace() => ' ',
        c if c.is_control() || steers(c) => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    text.chars().map(replaced).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_single_lines_where_there_is_no_terminal() {
        let mut table = Table::new(["TEAM", "DAYS", "NOTE"]).numbers([1]);
        let long = "long ".repeat(60);
        table.row(["payments".into(), "7".into(), format!("two\nlines {long}")]);
        table.row(["edge".into(), "12".into(), NONE.into()]);
        let text = table.render();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[0], "TEAM      DAYS  NOTE");
        assert!(lines[1].starts_with("payments     7  two lines long"));
        assert_eq!(lines[2], "edge        12  -");
    }

    #[test]
    fn narrow_tables_break_lines_between_words() {
        let mut table = Table::new(["FROM", "NOTE", "ID"]);
        let id = "01939a00-0000-7000-8000-000000000000";
        let from = "Mon 30 Nov 2026 09:00".to_owned();
        table.row([from, "swapped with Sam".into(), id.into()]);
        table.inner.set_width(60);
        let text = table.render();
        assert!(text.contains(id), "{text}");
        assert!(text.contains("swapped") && text.contains("2026"), "{text}");
        assert!(
            text.lines().all(|line| line.chars().count() <= 60),
            "{text}"
        );
    }

    #[test]
    fn facts_line_up() {
        let text = facts([("id", "1".into()), ("time zone", "UTC".into())]);
        assert_eq!(text, "id         1\ntime zone  UTC\n");
        assert_eq!(indented("a\nb\n"), "  a\n  b\n");
    }

    #[test]
    fn texts_of_others_cannot_steer_the_terminal() {
        assert_eq!(clean("a\u{1b}[31m\tb\r\n"), "a\u{fffd}[31m b  ");
        assert_eq!(clean("x\u{202e}y\u{9b}"), "x\u{fffd}y\u{fffd}");
        assert_eq!(clean("Zoë 日本"), "Zoë 日本");
    }

    #[test]
    fn a_person_without_a_name_is_their_id_once() {
        assert_eq!(person("U1", Some("U1")), "U1");
        assert_eq!(person("U1", None), "U1");
        assert_eq!(person("U1", Some("Sam")), "Sam (U1)");
    }
}
