//! Names and other texts of one line: nothing in them that breaks the line, can't be seen or turns
//! the direction of what stands around it, so that they forge neither a line of a log, a property
//! of a calendar, nor another name. After Unicode's UTS #39 and <https://trojansource.codes>.

/// A text with single blanks between its words, line breaks and all.
pub fn single_blanks(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text as it can be shown on one line: without what [`hidden_in`] finds.
pub fn cleaned(text: &str) -> String {
    let mut text = single_blanks(text);
    while let Some(hidden) = hidden_in(&text) {
        text = text.replace(hidden, "");
    }
    single_blanks(&text)
}

/// The first character that a text of one line must not hold.
pub fn hidden_in(text: &str) -> Option<char> {
    let chars: Vec<char> = text.chars().collect();
    let is_letter_or_sign =
        |c: Option<&char>| c.is_some_and(|c| !c.is_ascii() && !c.is_whitespace() && !is_hidden(*c));
    let is_fine = |index: usize, c: char| {
        let before = index.checked_sub(1).and_then(|index| chars.get(index));
        match c {
            // Scripts such as Sinhala and Persian are written with joiners, and emoji too.
            '\u{200c}' | '\u{200d}' => {
                let before = before.filter(|c| **c != '\u{fe0f}').or_else(|| {
                    // An emoji with its variation selector.
                    index.checked_sub(2).and_then(|index| chars.get(index))
                });
                is_letter_or_sign(before) && is_letter_or_sign(chars.get(index + 1))
            }
            '\u{fe0f}' => is_letter_or_sign(before),
            c => !is_hidden(c),
        }
    };
    let mut indexed = chars.iter().copied().enumerate();
    indexed
        .find(|(index, c)| !is_fine(*index, *c))
        .map(|(_, c)| c)
}

/// Control characters, line breaks, what has no shape, and what turns the direction of text.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}
