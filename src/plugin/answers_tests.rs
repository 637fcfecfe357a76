//! Whatever a plugin answers, the schedule stays valid: real components whose answers are drawn
//! at random, asked by the planner about a team to which anything may happen.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;

use super::testing::{WIT, embed, manifest, registry, strategy_text_with};
use super::{Files, HostPolicy, Limits, PluginStrategy, Registry};
use crate::domain::team::{Interval, RotationType};
use crate::rotation::explanation::Explanation;
use crate::rotation::plan::{OnFailure, Plan};
use crate::rotation::strategy::{Pick, PickContext, Strategy as _};
use crate::rotation::testing::{IDS, Op, Scripted, Sim, config, member, op, walk};

/// Fuel ends what does not end: time would depend on the machine.
const LIMITS: Limits = Limits {
    memory_mb: 2,
    timeout: Duration::from_mins(1),
    fuel: 300_000,
};

/// Where the answers lie in the memory of the plugin, and the size of each.
const ANSWERS: u32 = 0x1000;
const ANSWER_BYTES: usize = 24;

/// Where the texts of the answers lie.
const TEXTS: u32 = 0x1200;

/// The longest reason and user id that are drawn; they all fit below what is allocated.
const LONGEST: usize = 1500;

/// What a plugin does when it is asked.
#[derive(Clone, Debug)]
enum Answer {
    /// Picks the candidate at this place, counted round and round.
    Candidate(u32, Vec<u8>),
    /// Picks somebody by name, whoever that is.
    Named(Vec<u8>, Vec<u8>),
    /// Says that it failed.
    Failed(Vec<u8>),
    /// Answers with these five words.
    Words([u32; 5]),
    Trap,
    Endless,
    Deep,
    Greedy,
}

impl Answer {
    /// What the component reads: a kind, and the words that it answers with. `texts` gathers
    /// what the words point to.
    fn record(&self, texts: &mut Vec<u8>) -> [u32; 6] {
        let mut place = |text: &[u8]| {
            let at = TEXTS + u32::try_from(texts.len()).unwrap();
            texts.extend(text);
            (at, u32::try_from(text.len()).unwrap())
        };
        match self {
            Self::Words(words) => {
                let mut record = [0; 6];
                record[1..].copy_from_slice(words);
                record
            }
            Self::Named(user, reason) => {
                let ((user, user_len), (why, why_len)) = (place(user), place(reason));
                [0, 0, user, user_len, why, why_len]
            }
            Self::Failed(message) => {
                let (message, len) = place(message);
                [0, 1, message, len, 0, 0]
            }
            Self::Candidate(at, reason) => {
                let (why, why_len) = place(reason);
                [1, 0, *at, 0, why, why_len]
            }
            Self::Trap => [2, 0, 0, 0, 0, 0],
            Self::Endless => [3, 0, 0, 0, 0, 0],
            Self::Deep => [4, 0, 0, 0, 0, 0],
            Self::Greedy => [5, 0, 0, 0, 0, 0],
        }
    }

    /// Whether what the planner got is what this answer comes to.
    fn check(&self, context: &PickContext<'_>, got: &Result<Pick, String>) {
        let candidates: Vec<_> = context.standings.iter().map(|s| s.user.as_str()).collect();
        let (user, reason) = match self {
            Self::Candidate(at, reason) => {
                let at = usize::try_from(*at).unwrap() % candidates.len();
                (candidates[at].as_bytes(), reason)
            }
            Self::Named(user, reason) => (user.as_slice(), reason),
            // They may point to anything, or to nothing.
            Self::Words(_) => return,
            Self::Failed(_) | Self::Trap | Self::Endless | Self::Deep | Self::Greedy => {
                assert!(got.is_err(), "{self:?} made {got:?}");
                return;
            }
        };
        let is_candidate = candidates.iter().any(|id| id.as_bytes() == user);
        if is_candidate && std::str::from_utf8(reason).is_ok() {
            let picked = got.as_ref().map(|pick| pick.user.as_str().as_bytes());
            assert_eq!(picked, Ok(user), "{self:?}");
        } else if let Ok(pick) = got {
            // Somebody who exists: the planner is the one to see that it is no candidate.
            let names_somebody = pick.user.as_str().as_bytes() == user;
            assert!(names_somebody && !is_candidate, "{self:?} made {pick:?}");
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "\\{byte:02x}");
        text
    })
}

/// A component that gives these answers in turn, by the number of the period.
fn component(answers: &[Answer]) -> Vec<u8> {
    let mut texts = Vec::new();
    let records: Vec<_> = answers.iter().map(|a| a.record(&mut texts)).collect();
    let records: Vec<u8> = records
        .concat()
        .iter()
        .flat_map(|n| n.to_le_bytes())
        .collect();
    assert!(ANSWERS as usize + records.len() <= TEXTS as usize && texts.len() < 50_000);
    let data = format!(
        r#"(data (i32.const {ANSWERS}) "{}") (data (i32.const {TEXTS}) "{}")"#,
        hex(&records),
        hex(&texts)
    );
    let body = format!(
        "(local $answer i32) (local $kind i32) (local $candidate i32)
        (local.set $answer (i32.add (i32.const {ANSWERS}) (i32.mul (i32.const {ANSWER_BYTES})
            (i32.rem_u (i32.load offset=32 (local.get $ctx)) (i32.const {})))))
        (local.set $kind (i32.load (local.get $answer)))
        (if (i32.eq (local.get $kind) (i32.const 1)) (then
            (local.set $candidate (i32.add (i32.load offset=60 (local.get $ctx))
                (i32.mul (i32.const 80)
                    (i32.rem_u (i32.load offset=8 (local.get $answer))
                        (i32.load offset=64 (local.get $ctx))))))
            (i32.store offset=8 (local.get $answer) (i32.load (local.get $candidate)))
            (i32.store offset=12 (local.get $answer) (i32.load offset=4 (local.get $candidate)))))
        (if (i32.eq (local.get $kind) (i32.const 2)) (then (unreachable)))
        (if (i32.eq (local.get $kind) (i32.const 3)) (then (loop $again (br $again))))
        (if (i32.eq (local.get $kind) (i32.const 4)) (then (drop (call $deep (i32.const 0)))))
        (if (i32.eq (local.get $kind) (i32.const 5)) (then
            (loop $more (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
            (unreachable)))
        (i32.add (local.get $answer) (i32.const 4))",
        answers.len()
    );
    embed(
        &strategy_text_with(&data, &body, "0.1.0"),
        WIT,
        "rotation-strategy",
    )
}

/// What the planner asked, in order: the number of the period, and the pick that it got, if it
/// was one of a candidate.
type Asked = Arc<Mutex<Vec<(i64, Option<Pick>)>>>;

/// The strategy that gives these answers, through the daemon's own host.
fn strategy(answers: Vec<Answer>, dir: &Path, asked: Asked) -> Scripted {
    let registry = registry(dir, LIMITS, HostPolicy::default());
    let wasm = component(&answers);
    let plugin = Mutex::new((load(&registry, &wasm), 0));
    Scripted::new(move |context| {
        let mut plugin = plugin.lock().unwrap();
        // One that keeps running into its limits is paused, which is not what is tried here.
        if plugin.1 == 2 {
            *plugin = (load(&registry, &wasm), 0);
        }
        let got = plugin.0.pick(context);
        plugin.1 = if got.is_err() { plugin.1 + 1 } else { 0 };
        let number = context.period.index + 1;
        let turn = usize::try_from(number).unwrap() % answers.len();
        answers[turn].check(context, &got);
        let is_candidate = |pick: &Pick| context.standings.iter().any(|s| s.user == pick.user);
        let good = got.clone().ok().filter(is_candidate);
        asked.lock().unwrap().push((number, good));
        got
    })
}

fn load(registry: &Registry, wasm: &[u8]) -> PluginStrategy {
    let manifest = manifest("any", "rotation");
    let files = Files {
        manifest: &manifest,
        wasm,
    };
    PluginStrategy(Arc::new(registry.load_files(&files).unwrap()))
}

/// One line of text that is no longer than what is shown of a plugin's words.
fn check_line(text: &str, characters: usize) {
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    assert!(!text.contains(breaks), "{text:?} is not one line");
    assert!(!text.trim().is_empty(), "{text:?} says nothing");
    let count = text.chars().count();
    assert!(count <= characters, "{count} characters: {text:?}");
}

/// Each shift tells who, why and, where the plugin's answer was bad, that it was.
fn check_plan(plan: &Plan, asked: &Asked) {
    let asked = std::mem::take(&mut *asked.lock().unwrap());
    let bad = asked.iter().filter(|(_, good)| good.is_none());
    let failed = plan.failures.iter().map(|(period, _)| period.index + 1);
    assert!(bad.map(|(number, _)| *number).eq(failed), "{plan:?}");
    for shift in &plan.shifts {
        let why = &shift.explanation;
        assert_eq!(why.strategy, "plugin:any");
        // 500 characters of the plugin's, and the mark that some were cut off.
        check_line(&why.reason, 501);
        let may = why.candidates.iter().any(|s| s.user == why.picked);
        assert!(
            may || why.is_hold,
            "{} can't be picked: {why:?}",
            why.picked
        );
        let got = asked
            .iter()
            .find(|(number, _)| *number == why.period_number);
        check_told(why, got);
    }
}

/// Whether an explanation tells what was got for its period; `None` where nobody was asked.
fn check_told(why: &Explanation, got: Option<&(i64, Option<Pick>)>) {
    match (got, &why.strategy_error) {
        (None, None) => {}
        (Some((_, Some(pick))), None) => {
            assert_eq!((&why.picked, &why.reason), (&pick.user, &pick.reason));
        }
        (Some((_, None)), Some(error)) => {
            assert!(error.starts_with("plugin:any "), "{error}");
            check_line(error, 600);
        }
        told => panic!("the plugin's part is told wrong: {told:?}"),
    }
}

/// Text of any characters, most of them short.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let any_text = |characters: usize| {
        prop::collection::vec(any::<char>(), 0..characters)
            .prop_map(|text| text.into_iter().collect::<String>().into_bytes())
    };
    let tricky = prop::sample::select(vec![
        "it is their turn",
        "",
        " \n\t ",
        "\u{1}",
        "\0",
        "two\r\nlines",
        "two\u{2028}lines\u{2029}",
        "\u{1b}[2Jgone \u{202e}backwards",
    ]);
    prop_oneof![
        3 => tricky.prop_map(|text| text.as_bytes().to_vec()),
        2 => any_text(40),
        1 => any_text(LONGEST / 4),
        1 => (400usize..LONGEST).prop_map(|length| vec![b'x'; length]),
        1 => prop::collection::vec(any::<u8>(), 0..40),
    ]
}

/// What a plugin may say for a user id: of a member, of somebody who is none, of nobody.
fn user() -> impl Strategy<Value = Vec<u8>> {
    let ids = prop::sample::select([&IDS[..], &["UNOBODY", "", "ua", "UA\n", " UA"]].concat());
    prop_oneof![
        4 => ids.prop_map(|id| id.as_bytes().to_vec()),
        1 => Just([b'U'; 300].to_vec()),
        1 => text(),
    ]
}

fn answer() -> impl Strategy<Value = Answer> {
    let word = || prop_oneof![0u32..3, ANSWERS..TEXTS, any::<u32>()];
    let words = (0u32..3, prop::array::uniform4(word())).prop_map(|(first, rest)| {
        let mut words = [first; 5];
        words[1..].copy_from_slice(&rest);
        words
    });
    prop_oneof![
        6 => (any::<u32>(), text()).prop_map(|(at, reason)| Answer::Candidate(at, reason)),
        5 => (user(), text()).prop_map(|(user, reason)| Answer::Named(user, reason)),
        2 => text().prop_map(Answer::Failed),
        3 => words.prop_map(Answer::Words),
        1 => Just(Answer::Trap),
        1 => Just(Answer::Endless),
        1 => Just(Answer::Deep),
        1 => Just(Answer::Greedy),
    ]
}

/// A team of some of those whom a plugin may name.
#[derive(Clone, Debug)]
struct Team {
    /// Weight, and whether they may be picked at all.
    members: Vec<(f64, bool)>,
    interval: Interval,
    on_failure: OnFailure,
}

impl Team {
    fn sim(&self, strategy: Scripted) -> Sim {
        let kind = RotationType::Plugin("any".to_owned());
        let member = |((n, id), (weight, is_eligible)): ((i64, &str), &(f64, bool))| {
            let mut member = member(id, n, *weight);
            member.is_eligible = *is_eligible;
            member
        };
        let members = (0i64..).zip(IDS).zip(&self.members).map(member).collect();
        let mut sim = Sim::new(config(kind, self.interval), members);
        sim.on_failure = self.on_failure;
        sim.strategy = Some(Ok(strategy));
        sim
    }
}

fn team() -> impl Strategy<Value = Team> {
    let members = prop::collection::vec((0.1f64..4.0, prop::bool::weighted(0.8)), 1..=4);
    let interval = prop::sample::select(Interval::ALL.to_vec());
    let on_failure = prop::sample::select(OnFailure::ALL.to_vec());
    (members, interval, on_failure).prop_map(|(members, interval, on_failure)| Team {
        members,
        interval,
        on_failure,
    })
}

/// What happens to the team; its rotation stays the plugin's.
fn happening() -> impl Strategy<Value = Op> {
    op().prop_map(|op| match op {
        Op::Kind(_) => Op::Generate(6),
        op => op,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_answer_of_any_component_leaves_the_schedule_valid(
        answers in prop::collection::vec(answer(), 1..12),
        team in team(),
        ops in prop::collection::btree_map(1i64..50, happening(), 1..8),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let asked = Asked::default();
        let strategy = strategy(answers, dir.path(), asked.clone());
        walk(team.sim(strategy), 50, &ops, |plan| check_plan(plan, &asked));
    }
}
