use proptest::prelude::*;

use super::*;

const IDS: [&str; 6] = ["UA", "UB", "UC", "UD", "UE", "UF"];

fn at(day: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(day * 86_400, 0).unwrap()
}

fn user(id: &str) -> UserId {
    id.parse().unwrap()
}

fn row(id: &str, weight: f64) -> Membership {
    Membership {
        weight,
        is_eligible: false,
        role: TeamRole::Lead,
        ..Member::new(user(id), at(1)).to_row(TeamId::from_uuid(uuid::Uuid::nil()), at(1))
    }
}

fn listing(ids: &[&str]) -> BTreeSet<UserId> {
    ids.iter().map(|id| user(id)).collect()
}

/// The merge, of people only.
fn merged(rows: Vec<Membership>, roster: Option<&Roster>) -> Vec<Member> {
    merge(rows, roster, &BTreeMap::new())
}

fn list(ids: &[&str]) -> Roster {
    Roster::after(None, "S1", listing(ids), at(5))
}

fn find<'m>(members: &'m [Member], id: &str) -> &'m Member {
    members.iter().find(|m| m.user.as_str() == id).unwrap()
}

#[test]
fn in_slack_without_a_row_counts_by_the_defaults_since_first_seen() {
    let members = merged(Vec::new(), Some(&list(&["UA"])));
    let expected = Member {
        presence: Presence::Listed(Account::Person),
        ..Member::new(user("UA"), at(5))
    };
    assert_eq!(members, [expected]);
    let only = &members[0];
    assert_eq!((only.role, only.weight), (TeamRole::Member, 1.0));
    assert!(only.is_eligible && only.row.is_none());
}

#[test]
fn a_row_that_slack_lists_too_is_what_the_row_says() {
    let row = row("UA", 2.5);
    let members = merged(vec![row.clone()], Some(&list(&["UA"])));
    let expected = Member {
        presence: Presence::Listed(Account::Person),
        ..row.into()
    };
    assert_eq!(members, [expected]);
    assert_eq!(members[0].presence.in_slack(), Some(true));
}

#[test]
fn a_row_that_slack_does_not_list_is_kept_and_has_left() {
    let members = merged(vec![row("UA", 2.5)], Some(&list(&["UB"])));
    let left = find(&members, "UA");
    assert_eq!(left.presence.in_slack(), Some(false));
    assert_eq!((left.weight, left.row.is_some()), (2.5, true));
    assert_eq!(find(&members, "UB").presence.in_slack(), Some(true));
}

#[test]
fn a_group_that_is_really_empty_leaves_everybody_out() {
    let members = merged(vec![row("UA", 1.0), row("UB", 1.0)], Some(&list(&[])));
    assert!(members.iter().all(|m| m.presence == Presence::Left));
    assert_eq!(members.len(), 2);
}

#[test]
fn without_a_list_the_rows_are_the_member_list() {
    let row = row("UA", 2.5);
    let members = merged(vec![row.clone()], None);
    assert_eq!(members, [Member::from(row)]);
    assert_eq!(members[0].presence.in_slack(), None);
}

#[test]
fn who_stays_in_a_list_was_first_seen_when_they_came() {
    let first = list(&["UA", "UB"]);
    let second = Roster::after(Some(&first), "S1", listing(&["UB", "UC"]), at(9));
    let seen = |id| second.find(&user(id)).unwrap().first_seen_at;
    assert_eq!((seen("UB"), seen("UC")), (at(5), at(9)));
    assert_eq!((second.fetched_at, second.changed_at), (at(9), at(9)));
    let joined = second.without(Some(&first));
    let left = first.without(Some(&second));
    assert_eq!(joined[0].user, user("UC"));
    assert_eq!(left[0].user, user("UA"));
    // Somebody who left and comes back starts again.
    let third = Roster::after(Some(&second), "S1", listing(&["UA", "UB", "UC"]), at(12));
    assert_eq!(third.find(&user("UA")).unwrap().first_seen_at, at(12));
}

#[test]
fn the_same_list_again_has_only_another_age() {
    let first = list(&["UA"]);
    let again = Roster::after(Some(&first), "S1", listing(&["UA"]), at(9));
    assert_eq!((again.fetched_at, again.changed_at), (at(9), at(5)));
    assert!(again.without(Some(&first)).is_empty());
    let other_group = Roster::after(Some(&first), "S2", listing(&["UA"]), at(9));
    assert_eq!(other_group.changed_at, at(9));
}

/// What is there of one person: perhaps a row, perhaps a place in the list.
#[derive(Clone, Debug)]
struct Given {
    row: Option<f64>,
    listed: Option<Account>,
}

fn given() -> impl Strategy<Value = Vec<Given>> {
    let account = prop::sample::select(Account::ALL);
    let one = (prop::option::of(0.1f64..9.0), prop::option::of(account));
    let one = one.prop_map(|(row, listed)| Given { row, listed });
    prop::collection::vec(one, IDS.len())
}

proptest! {
    #[test]
    fn every_combination_merges_by_the_rules(people in given(), has_list: bool, shift in 0usize..6) {
        let people: Vec<_> = IDS.iter().zip(&people).collect();
        let mut rows: Vec<_> = people
            .iter()
            .filter_map(|(id, given)| Some(row(id, given.row?)))
            .collect();
        let accounts: BTreeMap<_, _> =
            people.iter().filter_map(|(id, g)| Some((user(id), g.listed?))).collect();
        let roster = Roster::after(None, "S1", accounts.keys().cloned().collect(), at(5));
        let roster = has_list.then_some(&roster);
        let members = merge(rows.clone(), roster, &accounts);

        for (id, given) in people {
            let found = members.iter().find(|m| m.user.as_str() == *id);
            let listed = given.listed.filter(|_| has_list);
            prop_assert_eq!(found.is_some(), given.row.is_some() || listed.is_some());
            let Some(found) = found else { continue };
            prop_assert_eq!(found.row.is_some(), given.row.is_some());
            prop_assert_eq!(found.weight.to_bits(), given.row.unwrap_or(1.0).to_bits());
            prop_assert_eq!(found.is_eligible, given.row.is_none());
            prop_assert_eq!(found.joined_at, given.row.map_or(at(5), |_| at(1)));
            let presence = match (has_list, listed) {
                (false, _) => Presence::NotAsked,
                (true, Some(account)) => Presence::Listed(account),
                (true, None) => Presence::Left,
            };
            prop_assert_eq!(found.presence, presence);
        }
        // The order of the rows makes no difference.
        let length = rows.len().max(1);
        rows.rotate_left(shift % length);
        prop_assert_eq!(merge(rows, roster, &accounts), members);
    }
}
