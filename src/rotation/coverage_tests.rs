use proptest::prelude::*;

use super::*;
use crate::domain::oncall_day::each_day;

fn day(n: i64) -> NaiveDate {
    add_days(NaiveDate::from_ymd_opt(2026, 11, 2).unwrap(), n)
}

fn stretch(user: &str, source: Source, start: i64, end: i64) -> Stretch {
    let id = Uuid::from_u128(u128::from(start.unsigned_abs()) << 8 | source as u128);
    Stretch {
        user: user.parse().unwrap(),
        source,
        id,
        start: day(start),
        end: day(end),
    }
}

fn coverage(rows: &[(&str, Source, i64, i64)]) -> Coverage {
    let mut coverage = Coverage::default();
    for (user, source, start, end) in rows {
        coverage.add(stretch(user, *source, *start, *end));
    }
    coverage
}

#[test]
fn an_override_beats_manual_and_manual_beats_auto() {
    let c = coverage(&[
        ("UA", Source::Auto, 0, 6),
        ("UM", Source::Manual, 2, 4),
        ("UO", Source::Override, 3, 3),
    ]);
    let who: Vec<_> = (0..8)
        .map(|n| c.row_on(day(n)).map_or("-", |row| row.user.as_str()))
        .collect();
    assert_eq!(who, ["UA", "UA", "UM", "UO", "UM", "UA", "UA", "-"]);
}

#[test]
fn a_stretch_ends_where_another_row_takes_over() {
    let c = coverage(&[("UA", Source::Auto, 0, 6), ("UO", Source::Override, 2, 3)]);
    let now = c.stretch_on(day(1)).unwrap();
    assert_eq!((now.start, now.end), (day(0), day(1)));
    let next = c.next_after(now.end).unwrap();
    assert_eq!(
        (next.user.as_str(), next.start, next.end),
        ("UO", day(2), day(3))
    );
    let back = c.next_after(next.end).unwrap();
    assert_eq!(
        (back.user.as_str(), back.start, back.end),
        ("UA", day(4), day(6))
    );
    assert_eq!(c.next_after(day(6)), None);
}

#[test]
fn the_next_stretch_is_found_over_a_gap() {
    let c = coverage(&[("UA", Source::Auto, 0, 1), ("UB", Source::Manual, 5, 6)]);
    assert_eq!(c.next_after(day(1)).unwrap().start, day(5));
    assert_eq!(c.gaps(day(0), day(8)), [(day(2), day(4)), (day(7), day(8))]);
}

/// Rows of one source that don't overlap, from (gap, length) pairs.
fn layer(source: Source) -> impl Strategy<Value = Vec<Stretch>> {
    prop::collection::vec((0i64..6, 1i64..9, 0u8..4), 0..8).prop_map(move |parts| {
        let mut at = 0;
        let mut rows = Vec::new();
        for (gap, length, user) in parts {
            let start = at + gap;
            at = start + length;
            rows.push(stretch(&format!("U{user}"), source, start, at - 1));
        }
        rows
    })
}

proptest! {
    #[test]
    fn stretches_and_gaps_tile_any_range(
        auto in layer(Source::Auto), manual in layer(Source::Manual),
        overrides in layer(Source::Override), from in -5i64..40, length in 0i64..40,
    ) {
        let mut c = Coverage::default();
        for row in auto.into_iter().chain(manual).chain(overrides) {
            c.add(row);
        }
        let (from, to) = (day(from), day(from + length));
        for d in each_day(from, to) {
            let row = c.row_on(d);
            let in_force = |d: &NaiveDate| row.is_some() && c.row_on(*d) == row;
            let start = d.iter_days().rev().take_while(in_force).last();
            let end = d.iter_days().take_while(in_force).last();
            let found = c.stretch_on(d);
            prop_assert_eq!(found.as_ref().map(|s| s.start), start);
            prop_assert_eq!(found.as_ref().map(|s| s.end), end);
            prop_assert_eq!(found.map(|s| s.id), row.map(|row| row.id));
        }
        let mut by_day = BTreeMap::new();
        for s in c.stretches(from, to) {
            prop_assert!(s.start <= s.end && from <= s.start && s.end <= to);
            for d in each_day(s.start, s.end) {
                prop_assert!(by_day.insert(d, Some(s.id)).is_none());
            }
        }
        for (start, end) in c.gaps(from, to) {
            for d in each_day(start, end) {
                prop_assert!(by_day.insert(d, None).is_none());
            }
        }
        for d in each_day(from, to) {
            prop_assert_eq!(by_day.get(&d), Some(&c.row_on(d).map(|row| row.id)));
        }
        let free: Vec<_> = c.free_of_manual(from, to).into_iter()
            .flat_map(|(start, end)| each_day(start, end)).collect();
        let expected: Vec<_> = each_day(from, to).filter(|d| !c.is_manual(*d)).collect();
        prop_assert_eq!(free, expected);
    }
}
