use super::*;
use crate::domain::team::{Interval, RotationType};
use crate::rotation::testing::{Sim, config, day, named, user};

fn row(id: &str, start: i64, end: i64) -> Schedule {
    let weekly = config(RotationType::RoundRobin, Interval::Weekly);
    let mut sim = Sim::new(weekly, named(&["UA"]));
    sim.put_manual(id, day(start), day(end));
    sim.schedules.remove(0)
}

fn change(old: Option<&Schedule>, new: Option<&Schedule>) -> Option<NaiveDate> {
    let (old, new) = (old.map(Served::by_schedule), new.map(Served::by_schedule));
    Served::first_change(old.as_ref(), new.as_ref())
}

#[test]
fn a_row_changes_the_past_from_the_first_day_of_which_it_says_something_else() {
    let short = row("UA", 3, 6);
    assert_eq!(change(None, None), None);
    assert_eq!(change(None, Some(&short)), Some(day(3)));
    assert_eq!(change(Some(&short), None), Some(day(3)));
    let noted = Schedule {
        note: Some("swap".to_owned()),
        ..short.clone()
    };
    assert_eq!(change(Some(&short), Some(&noted)), None);
    let long = row("UA", 3, 9);
    assert_eq!(change(Some(&short), Some(&long)), Some(day(7)));
    assert_eq!(change(Some(&long), Some(&short)), Some(day(7)));
    assert_eq!(change(Some(&short), Some(&row("UB", 3, 9))), Some(day(3)));
    assert_eq!(change(Some(&short), Some(&row("UA", 1, 6))), Some(day(1)));
    let hold = Schedule {
        is_hold: true,
        ..long.clone()
    };
    assert_eq!(change(Some(&short), Some(&hold)), Some(day(3)));
}

#[test]
fn an_override_says_something_while_it_is_approved() {
    let weekly = config(RotationType::RoundRobin, Interval::Weekly);
    let mut sim = Sim::new(weekly, named(&["UA"]));
    sim.cover("UB", day(1), day(2));
    let approved = sim.overrides.remove(0);
    for status in OverrideStatus::ALL {
        let row = Override {
            status: *status,
            ..approved.clone()
        };
        let says = Served::by_override(&row);
        assert_eq!(says.is_some(), *status == OverrideStatus::Approved);
    }
}

#[test]
fn a_walk_leaves_one_checkpoint_behind_the_running_period_and_one_every_sixty_four() {
    let due = |running: i64| -> Vec<i64> {
        (0..=running)
            .filter(|index| Checkpoint::is_due(*index, running))
            .collect()
    };
    assert!(due(3).is_empty() && due(4).is_empty());
    assert_eq!(due(5), [1]);
    assert_eq!(due(68), [64]);
    assert_eq!(due(67), [63]);
    assert_eq!(due(150), [64, 128, 146]);
}

#[test]
fn whom_the_rotation_picked_last_depends_on_who_has_a_place() {
    let person = |id: &str, last_picked: Option<i64>| Person {
        user: user(id),
        served: 1.0,
        credit: 0.5,
        last_served: None,
        last_picked: last_picked.map(day),
        joined_at: None,
    };
    let people = vec![
        person("UA", Some(7)),
        person("UB", Some(0)),
        person("UC", None),
    ];
    let (index, start, total) = (2, day(14), 2.0);
    let checkpoint = Checkpoint {
        index,
        start,
        total,
        people,
    };
    assert_eq!(checkpoint.last_picked(|_| true), Some(&user("UA")));
    assert_eq!(
        checkpoint.last_picked(|of| *of != user("UA")),
        Some(&user("UB"))
    );
    assert_eq!(checkpoint.last_picked(|of| *of == user("UC")), None);
    assert_eq!(
        checkpoint.credit().of(&user("UB")).served.to_bits(),
        1f64.to_bits()
    );
}
