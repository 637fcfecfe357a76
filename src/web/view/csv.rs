//! Comma-separated values by RFC 4180, that no spreadsheet takes for formulas.

/// A row, with its line break.
pub fn row<'c>(cells: impl IntoIterator<Item = &'c str>) -> String {
    let cells: Vec<_> = cells.into_iter().map(cell).collect();
    cells.join(",") + "\r\n"
}

/// A cell: where a spreadsheet would reckon with what it begins with, an apostrophe before it makes
/// it a text; quoted where it holds what separates cells and rows.
fn cell(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if is_formula {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    if text.contains(['"', ',', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_and_quotes_stay_within_their_cell() {
        assert_eq!(row(["a", "", "b c", "ü"]), "a,,b c,ü\r\n");
        assert_eq!(
            row(["a,b", "say \"hi\"", "x\ny"]),
            "\"a,b\",\"say \"\"hi\"\"\",\"x\ny\"\r\n"
        );
    }

    #[test]
    fn nothing_is_a_formula() {
        let cells = ["=1+1", "+1", "-1", "@x", "\tx", "\r=x", "a=1"];
        assert_eq!(row(cells), "'=1+1,'+1,'-1,'@x,'\tx,\"'\r=x\",a=1\r\n");
        assert_eq!(
            row(["=HYPERLINK(\"x\",1)"]),
            "\"'=HYPERLINK(\"\"x\"\",1)\"\r\n"
        );
    }
}
