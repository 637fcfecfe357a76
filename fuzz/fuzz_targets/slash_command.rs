#![no_main]
//! Any text as a slash command, and as days: understood, or an error that says what to type.

use libfuzzer_sys::fuzz_target;
use oncalld::domain::human_date::take;
use oncalld::domain::oncall_day::add_days;
use oncalld::slack::commands::parse;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    for command in [text.to_owned(), format!("override a <@U1> {text}")] {
        if let Err(error) = parse(&command) {
            assert!(!error.to_string().is_empty());
        }
    }
    let day = i64::from(bytes.first().copied().unwrap_or_default());
    let today = add_days("2027-12-30".parse().expect("a day"), day * 30);
    match take(text, today) {
        Ok(days) => {
            assert!(days.start <= days.end, "{days:?}");
            assert!(text.trim_end().ends_with(days.rest), "{days:?}");
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
