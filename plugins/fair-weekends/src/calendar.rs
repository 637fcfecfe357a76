//! Which days are weekend or holiday, and how much each day counts.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::bindings::rotation::Date;
use crate::config::Config;

/// A holiday: in one year, or each year on the same day.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub struct Holiday {
    year: Option<u16>,
    month: u8,
    day: u8,
}

impl TryFrom<String> for Holiday {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no date such as 2026-12-25 or, for each year, 12-25");
        let number = |part: &str, digits: usize| {
            let plain = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
            plain.then(|| part.parse::<u16>().ok()).flatten()
        };
        let parts: Vec<&str> = text.split('-').collect();
        let (year, month, day) = match parts[..] {
            [year, month, day] => (Some(number(year, 4).ok_or_else(wrong)?), month, day),
            [month, day] => (None, month, day),
            _ => return Err(wrong()),
        };
        let small = |part| number(part, 2).and_then(|n| u8::try_from(n).ok());
        let (month, day) = small(month).zip(small(day)).ok_or_else(wrong)?;
        // 2000 had a 29 February, as some years have.
        let longest = days_in(year.unwrap_or(2000), month).ok_or_else(wrong)?;
        if !(1..=longest).contains(&day) {
            return Err(wrong());
        }
        Ok(Self { year, month, day })
    }
}

/// How many days a month has.
fn days_in(year: u16, month: u8) -> Option<u8> {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => Some(31),
        4 | 6 | 9 | 11 => Some(30),
        2 => Some(if leap { 29 } else { 28 }),
        _ => None,
    }
}

/// Days since 1970-01-01, in the Gregorian calendar.
pub fn day_number(year: u16, month: u8, day: u8) -> i32 {
    // Years that begin in March, so that a leap day is the last of its year.
    let year = i32::from(year) - i32::from(month < 3);
    let month = (i32::from(month) + 9) % 12;
    let (century, year) = (year.div_euclid(100), year.rem_euclid(100));
    146_097 * century / 4 + 1461 * year / 4 + (153 * month + 2) / 5 + i32::from(day) - 719_469
}

/// The place in the week of a day number, from 0 for Monday.
fn weekday(number: i32) -> usize {
    // 1970-01-01 was a Thursday.
    usize::try_from((number + 3).rem_euclid(7)).unwrap_or_default()
}

/// How many days there are.
fn count(days: impl Iterator) -> i32 {
    days.fold(0, |count, _| count + 1)
}

/// What a run of days counts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Points {
    /// The weekend days and holidays among them.
    pub heavy: f64,
    /// All of them.
    pub all: f64,
}

/// The days from the oldest shift to the period.
pub struct Calendar {
    /// Whether it is weekend, from Monday on.
    weekend: [bool; 7],
    weekend_length: i32,
    weekend_points: f64,
    holidays: BTreeSet<i32>,
    holiday_points: f64,
}

impl Calendar {
    /// The days from `first` to `last`.
    pub fn new(config: &Config, first: Date, last: Date) -> Self {
        let mut holidays = BTreeSet::new();
        for holiday in &config.holidays {
            let years = holiday
                .year
                .map_or(first.year..=last.year, |year| year..=year);
            holidays.extend(
                years
                    .filter(|&year| days_in(year, holiday.month) >= Some(holiday.day))
                    .map(|year| day_number(year, holiday.month, holiday.day)),
            );
        }
        let mut weekend = [false; 7];
        for &day in &config.weekend_days {
            weekend[day as usize] = true;
        }
        Self {
            weekend,
            weekend_length: count(weekend.iter().filter(|&&is_weekend| is_weekend)),
            weekend_points: config.weekend_points,
            holidays,
            holiday_points: config.holiday_points,
        }
    }

    /// Whether a day is weekend or holiday.
    pub fn is_heavy(&self, day: i32) -> bool {
        self.weekend[weekday(day)] || self.holidays.contains(&day)
    }

    /// What the days from `first` to `last` count.
    pub fn points(&self, first: i32, last: i32) -> Points {
        let days = last - first + 1;
        // Whole weeks are all the same.
        let mut weekend = days / 7 * self.weekend_length;
        let rest = first + days / 7 * 7..=last;
        weekend += count(rest.filter(|&day| self.weekend[weekday(day)]));
        let holidays = || self.holidays.range(first..=last).copied();
        weekend -= count(holidays().filter(|&day| self.weekend[weekday(day)]));
        let holidays = count(holidays());
        let heavy =
            f64::from(weekend) * self.weekend_points + f64::from(holidays) * self.holiday_points;
        let all = heavy + f64::from(days - weekend - holidays);
        Points { heavy, all }
    }

    /// The first day of the run of days of the same kind that `day` is in, looked for no further
    /// back than `earliest`.
    pub fn block_start(&self, day: i32, earliest: i32) -> i32 {
        let kind = self.is_heavy(day);
        (earliest..day)
            .rev()
            .take_while(|&before| self.is_heavy(before) == kind)
            .last()
            .unwrap_or(day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::date;

    #[test]
    fn days_are_counted_from_1970() {
        assert_eq!(day_number(1970, 1, 1), 0);
        assert_eq!(day_number(2000, 2, 29), 11_016);
        assert_eq!(day_number(2026, 11, 23), 20_780);
        assert_eq!(weekday(20_780), 0);
        assert_eq!(weekday(-1), 2);
    }

    #[test]
    fn a_holiday_on_a_weekend_counts_as_a_holiday() {
        let config = Config::parse(r#"{"holidays": ["12-25", "2026-12-26", "02-29"]}"#).unwrap();
        let calendar = Calendar::new(&config, date(20_780), date(20_780 + 60));
        // Friday 25 December to Monday 28: two holidays, a Sunday, a day.
        let friday = day_number(2026, 12, 25);
        let points = calendar.points(friday, friday + 3);
        assert_eq!(
            points,
            Points {
                heavy: 8.0,
                all: 9.0
            }
        );
        assert!(!calendar.is_heavy(friday - 1) && !calendar.is_heavy(friday + 3));
        assert_eq!(calendar.block_start(friday + 2, friday - 10), friday);
        assert_eq!(calendar.block_start(friday + 2, friday + 1), friday + 1);
        assert_eq!(calendar.block_start(friday - 1, friday - 30), friday - 4);
    }

    #[test]
    fn text_that_is_no_date_is_refused() {
        for text in [
            "2026-13-01",
            "2027-02-29",
            "26-12-25",
            "12-32",
            "1-1",
            "12-00",
            "",
            "+1-01",
            "é-é",
        ] {
            assert!(Holiday::try_from(text.to_owned()).is_err(), "{text}");
        }
        assert!(Holiday::try_from("2028-02-29".to_owned()).is_ok());
        assert!(Holiday::try_from("02-29".to_owned()).is_ok());
    }
}
