//! The dates that people type, on Wednesday 2026-11-25.

use proptest::prelude::*;

use super::*;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn read_on(today: &str, text: &str) -> String {
    match take(text, day(today)) {
        Ok(Days { start, end, rest }) if start == end => format!("{start} {rest}"),
        Ok(Days { start, end, rest }) => format!("{start}..{end} {rest}"),
        Err(error) => error.to_string(),
    }
    .trim_end()
    .to_owned()
}

#[track_caller]
fn reads(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(read_on("2026-11-25", text), *expected, "{text}");
    }
}

#[test]
fn a_day_is_read_as_people_write_it() {
    reads(&[
        ("2026-12-24", "2026-12-24"),
        ("24 Dec", "2026-12-24"),
        ("24 december", "2026-12-24"),
        ("Dec 24", "2026-12-24"),
        ("Dec 24, 2027", "2027-12-24"),
        ("24 Dec 2027", "2027-12-24"),
        ("today", "2026-11-25"),
        ("Tomorrow", "2026-11-26"),
        ("wednesday", "2026-11-25"),
        ("fri", "2026-11-27"),
        ("monday", "2026-11-30"),
        ("next monday", "2026-11-30"),
        ("next wed", "2026-12-02"),
        ("next sunday", "2026-12-06"),
    ]);
}

#[test]
fn a_range_is_read_as_people_write_it() {
    reads(&[
        ("2026-12-24..2026-12-26", "2026-12-24..2026-12-26"),
        ("2026-12-24 - 2026-12-26", "2026-12-24..2026-12-26"),
        ("24 Dec..27 Dec", "2026-12-24..2026-12-27"),
        ("24 Dec ... 27 Dec", "2026-12-24..2026-12-27"),
        ("24 Dec…27 Dec", "2026-12-24..2026-12-27"),
        ("Dec 24–Dec 27", "2026-12-24..2026-12-27"),
        ("24 Dec to 2 Jan", "2026-12-24..2027-01-02"),
        ("24 Dec..2 Jan 2027", "2026-12-24..2027-01-02"),
        ("24 Dec..27 Dec 2027", "2027-12-24..2027-12-27"),
        ("next monday..wednesday", "2026-11-30..2026-12-02"),
        ("monday until next friday", "2026-11-30..2026-12-04"),
        ("fri..mon", "2026-11-27..2026-11-30"),
        ("today..tomorrow", "2026-11-25..2026-11-26"),
    ]);
}

#[test]
fn what_follows_the_days_is_left_as_it_is() {
    reads(&[
        ("24 Dec dentist", "2026-12-24 dentist"),
        ("24 Dec: 2 of us are away", "2026-12-24 2 of us are away"),
        ("24 Dec - 2 of us are away", "2026-12-24 2 of us are away"),
        ("24 Dec to visit my aunt", "2026-12-24 to visit my aunt"),
        ("monday – Zahnarzt", "2026-11-30 Zahnarzt"),
        ("24 Dec..27 Dec, skiing", "2026-12-24..2026-12-27 skiing"),
        ("2026-12-24 <@U2> is away", "2026-12-24 <@U2> is away"),
        ("tomorrow 日本", "2026-11-26 日本"),
    ]);
}

#[test]
fn a_day_that_has_passed_is_next_years() {
    reads(&[
        ("24 Nov", "2027-11-24"),
        ("25 Nov", "2026-11-25"),
        ("1 Jan", "2027-01-01"),
        ("20 Nov..26 Nov", "2027-11-20..2027-11-26"),
    ]);
}

#[test]
fn a_leap_day_is_the_next_one() {
    assert_eq!(read_on("2027-11-25", "29 Feb"), "2028-02-29");
    assert_eq!(read_on("2096-03-01", "29 Feb"), "2104-02-29");
    assert_eq!(
        read_on("2028-02-29", "today..1 Mar"),
        "2028-02-29..2028-03-01"
    );
    reads(&[
        ("29 Feb 2027", "there is no such day as `29 February 2027`"),
        ("29 Feb 2028", "2028-02-29"),
    ]);
}

#[test]
fn what_cant_be_read_says_what_to_type() {
    reads(&[
        ("", &format!("a date is missing: type {DATE_FORMS}")),
        ("24 Dec..", &format!("a date is missing: type {DATE_FORMS}")),
        ("31 Nov", "there is no such day as `31 November`"),
        ("2026-02-30", "there is no such day as `2026-02-30`"),
        ("99 Dec", "there is no such day as `99 December`"),
        (
            "2026-12-27..2026-12-24",
            "the range is empty: its end, 2026-12-24, is before its start, 2026-12-27",
        ),
    ]);
    for (text, word) in [
        ("soon", "soon"),
        ("next week", "next"),
        ("Dec", "Dec"),
        ("24 Dec..soon", "soon"),
        ("24 Dec..27", "27"),
        ("24 friends", "24"),
        ("24th Dec", "24th"),
        ("24.12.", "24.12."),
        ("3/4", "3/4"),
        ("24-27 Dec", "24-27"),
        ("2026-1-5", "2026-1-5"),
        ("2026-12-24T09:00", "2026-12-24T09:00"),
        ("2026-12-24-2026-12-26", "2026-12-24-2026-12-26"),
    ] {
        let expected = format!("`{word}` is not a date: type {DATE_FORMS}");
        assert_eq!(read_on("2026-11-25", text), expected, "{text}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in ".{0,60}", days in -4_000_000i64..4_000_000) {
        let today = add_days(day("2026-11-25"), days * 60);
        if let Ok(Days { start, end, rest }) = take(&text, today) {
            prop_assert!(start <= end);
            prop_assert!(text.ends_with(rest) || text.trim_end().ends_with(rest));
        }
    }

    #[test]
    fn words_of_dates_in_any_order_don_t_make_it_panic(
        words in prop::collection::vec(prop::sample::select(vec![
            "24", "31", "2026", "Dec", "feb", "next", "monday", "..", "-", "to", ".", "/", ",",
            "th", "of", "tomorrow", " ", "0", "99999999999",
        ]), 0..8),
        days in 0i64..100_000,
    ) {
        let _ = take(&words.concat(), add_days(day("1970-01-01"), days));
        let _ = take(&words.join(" "), add_days(day("1970-01-01"), days));
    }

    #[test]
    fn a_day_without_its_year_is_the_next_one(ahead in 0i64..365, from in 0i64..40_000) {
        let today = add_days(day("1990-01-01"), from);
        let meant = add_days(today, ahead);
        prop_assume!((meant.month(), meant.day()) != (2, 29));
        for format in ["%-d %b", "%B %-d", "%Y-%m-%d"] {
            let text = meant.format(format).to_string();
            let days = Days { start: meant, end: meant, rest: "" };
            prop_assert_eq!(take(&text, today), Ok(days), "{}", text);
        }
    }
}
