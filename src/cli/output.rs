//! Writing to the terminal: a reader that goes away is no failure, a full disk is.

use std::io::{self, ErrorKind, Write as _};

use super::error::CliError;

/// Writes a text to standard output, with a line break at its end unless it is empty.
///
/// # Errors
/// It can't be written, and not because the reader has gone (`oncalld audit list | head -1`).
pub(super) fn print(text: &str) -> Result<(), CliError> {
    let text = text.trim_end_matches('\n');
    if text.is_empty() {
        return Ok(());
    }
    let mut stdout = io::stdout().lock();
    let written = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(CliError::failed(format!(
            "can't write to standard output: {error}"
        ))),
        _ => Ok(()),
    }
}

/// Writes a remark to standard error, where it disturbs no program that reads the output.
pub(super) fn note(text: &str) {
    // Nobody is left to be told where this fails.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// JSON text laid out for people: the same values in the same order, numbers as they were written.
pub(super) fn pretty(json: &str) -> String {
    let mut text = String::with_capacity(json.len() * 2);
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    let mut chars = json.chars().peekable();
    while let Some(c) = chars.next() {
        if in_string {
            text.push(c);
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
            continue;
        }
        match c {
            c if c.is_ascii_whitespace() => {}
            '{' | '[' => {
                text.push(c);
                while chars.next_if(char::is_ascii_whitespace).is_some() {}
                if let Some(close) = chars.next_if(|c| matches!(c, '}' | ']')) {
                    text.push(close);
                } else {
                    depth += 1;
                    break_line(&mut text, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                break_line(&mut text, depth);
                text.push(c);
            }
            ',' => {
                text.push(c);
                break_line(&mut text, depth);
            }
            ':' => text.push_str(": "),
            c => {
                in_string = c == '"';
                text.push(c);
            }
        }
    }
    text
}

fn break_line(text: &mut String, depth: usize) {
    text.push('\n');
    text.extend(std::iter::repeat_n("  ", depth));
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn json_keeps_its_order_and_its_numbers() {
        assert_eq!(
            pretty(r#"{"z":1.0,"a":[],"o":{ },"l":[1, 2e3]}"#),
            "{\n  \"z\": 1.0,\n  \"a\": [],\n  \"o\": {},\n  \"l\": [\n    1,\n    2e3\n  ]\n}"
        );
    }

    #[test]
    fn json_in_strings_is_left_alone() {
        let value = json!({"a\"{": "x, [\\] : \\\" }", "b": ["\\", {"c": null}], "d": "ü\n"});
        for text in [
            value.to_string(),
            serde_json::to_string_pretty(&value).unwrap(),
        ] {
            assert_eq!(pretty(&text), serde_json::to_string_pretty(&value).unwrap());
            assert_eq!(
                serde_json::from_str::<Value>(&pretty(&text)).unwrap(),
                value
            );
        }
    }
}
