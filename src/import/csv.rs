//! CSV as PostgreSQL's `COPY … CSV` writes it: RFC 4180, and a field without quotes that is empty is
//! null, while `""` is the empty text. That difference is why no library does.

use std::io::{self, BufRead};

/// The fields of a record; none where one is null.
pub type Fields = Vec<Option<String>>;

/// Why there is no next record.
#[derive(Debug)]
pub enum CsvError {
    /// The file can't be read.
    Io(io::Error),
    /// What is wrong.
    Malformed(String),
}

/// Reads a record from where the reader is: its fields, and over how many lines it went. None at the end.
pub fn read_record(from: &mut impl BufRead) -> Result<Option<(Fields, u64, u64)>, CsvError> {
    let mut raw = Vec::new();
    let (mut lines, mut is_quoted) = (0, false);
    loop {
        let begun = raw.len();
        let read = from.read_until(b'\n', &mut raw).map_err(CsvError::Io)?;
        if raw.is_empty() {
            return Ok(None);
        }
        lines += u64::from(read > 0);
        // A quote within quotes is written twice, so whether it is open is told by each.
        is_quoted = raw[begun..]
            .iter()
            .fold(is_quoted, |is, byte| is ^ (*byte == b'"'));
        if !is_quoted {
            break;
        }
        if read == 0 {
            let problem = "a quote is not closed: the file was cut off, or is no CSV";
            return Err(CsvError::Malformed(problem.to_owned()));
        }
    }
    let bytes = raw.len() as u64;
    let text = std::str::from_utf8(&raw).map_err(|_| {
        CsvError::Malformed("it is not UTF-8: dump with ENCODING 'UTF8'".to_owned())
    })?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    Ok(Some((fields(text)?, lines, bytes)))
}

fn fields(text: &str) -> Result<Fields, CsvError> {
    let mut fields = Vec::new();
    let mut rest = text;
    loop {
        let after = if let Some(quoted) = rest.strip_prefix('"') {
            let (field, after) = unquoted(quoted)?;
            fields.push(Some(field));
            after
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            let (field, after) = rest.split_at(end);
            if field.contains('"') {
                let problem = format!("field {}: a quote within a field", fields.len() + 1);
                return Err(CsvError::Malformed(problem));
            }
            fields.push((!field.is_empty()).then(|| field.to_owned()));
            after
        };
        match after.strip_prefix(',') {
            Some(more) => rest = more,
            None if after.is_empty() => return Ok(fields),
            None => {
                let problem = format!("field {}: text after its closing quote", fields.len());
                return Err(CsvError::Malformed(problem));
            }
        }
    }
}

/// A field after its opening quote, and what follows its closing one.
fn unquoted(text: &str) -> Result<(String, &str), CsvError> {
    let mut field = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('"') {
        field += before;
        match after.strip_prefix('"') {
            Some(more) => {
                field.push('"');
                rest = more;
            }
            None => return Ok((field, after)),
        }
    }
    Err(CsvError::Malformed("a quote is not closed".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Fields> {
        let mut from = text.as_bytes();
        std::iter::from_fn(|| read_record(&mut from).unwrap())
            .map(|(fields, ..)| fields)
            .collect()
    }

    #[test]
    fn null_and_empty_differ_and_quotes_hold_anything() {
        let some = |text: &str| Some(text.to_owned());
        let text = "a,,\"\"\r\n\"x,\"\"y\"\"\",\"two\nlines\",z\n";
        assert_eq!(
            read(text),
            [
                vec![some("a"), None, some("")],
                vec![some("x,\"y\""), some("two\nlines"), some("z")],
            ]
        );
        assert_eq!(read("a,b"), [vec![some("a"), some("b")]], "without an end");
    }

    #[test]
    fn what_is_no_csv_is_refused() {
        for text in ["\"a\nb", "\"a\"b,c", "a\"b\"", "\u{fffd}\"\"\"x"] {
            assert!(read_record(&mut text.as_bytes()).is_err(), "{text}");
        }
        assert!(read_record(&mut b"\xff\xfe".as_slice()).is_err());
    }
}
