"""What the strategy promises, over years."""

import unittest
from types import SimpleNamespace as Record

from strategy import Config, choose, share

LONG_AGO = -10_000


def date(number):
    return Record(number=number, year=2026, month=11, day=2)


class Team:
    """A team that is on call for years in a moment, asked as oncalld asks."""

    def __init__(self, members, config="{}", days=7):
        self.members = members  # user: (joined, weight)
        self.config = config
        self.days = days
        self.shifts = []
        self.last = {}

    def context(self, away=()):
        first = self.days * len(self.shifts)
        candidates = [
            Record(
                user=user,
                weight=weight,
                joined=date(joined),
                last_served=date(self.last[user]) if user in self.last else None,
            )
            for user, (joined, weight) in sorted(self.members.items(), key=lambda m: m[1][0])
            if joined <= first and user not in away
        ]
        return Record(
            period=Record(first=date(first), last=date(first + self.days - 1)),
            candidates=candidates,
            recent_shifts=self.shifts[-64:],
            config=self.config,
        )

    def serve(self, periods, away=()):
        served = []
        for _ in range(periods):
            ctx = self.context(away)
            user, reason = choose(ctx)
            assert len(reason) <= 500
            self.shifts.append(Record(user=user, first=ctx.period.first, last=ctx.period.last))
            self.last[user] = ctx.period.last.number
            served.append(user)
        return served


class Shares(unittest.TestCase):
    def test_a_share_grows_from_nothing_to_the_full_one(self):
        config = Config(quiet_days=10, ramp_days=9)
        days = [0, 9, 10, 14, 19, 100]
        self.assertEqual([share(config, 0, day) for day in days], [0, 0, 0.1, 0.5, 1, 1])
        self.assertEqual(share(Config(quiet_days=0, ramp_days=0), 5, 5), 1)


class Picks(unittest.TestCase):
    def test_a_settled_team_takes_turns(self):
        team = Team({user: (LONG_AGO, 1.0) for user in ("U1", "U2", "U3")})
        self.assertEqual(team.serve(6), ["U1", "U2", "U3"] * 2)

    def test_weights_count(self):
        team = Team({"U1": (LONG_AGO, 2.0), "U2": (LONG_AGO, 1.0), "U3": (LONG_AGO, 1.0)})
        served = team.serve(104)
        self.assertAlmostEqual(served.count("U1"), 52, delta=2)
        self.assertAlmostEqual(served.count("U2"), 26, delta=2)

    def test_a_newcomer_waits_and_then_serves_less_at_first(self):
        members = {user: (LONG_AGO, 1.0) for user in ("U1", "U2", "U3")}
        team = Team(members | {"U4": (70, 1.0)}, '{"quiet_days": 28, "ramp_days": 140}')
        served = team.serve(104)
        self.assertNotIn("U4", served[:14])
        self.assertLess(served[14:34].count("U4"), 5)
        self.assertGreater(served[14:34].count("U4"), 1)
        self.assertAlmostEqual(served[44:].count("U4"), 15, delta=1)
        _, reason = choose(Team({"U1": (LONG_AGO, 1.0), "U2": (-1, 1.0)}).context())
        self.assertTrue(reason.endswith("; 1 in their first 14 days not asked"), reason)

    def test_whoever_is_new_serves_where_there_is_nobody_else(self):
        self.assertEqual(Team({"U1": (0, 1.0), "U2": (0, 1.0)}).serve(1), ["U1"])

    def test_a_leave_has_not_to_be_made_up_for(self):
        team = Team({user: (LONG_AGO, 1.0) for user in ("U1", "U2", "U3", "U4")})
        team.serve(30, away=("U2",))
        back = team.serve(16)
        self.assertEqual(back[0], "U2")
        self.assertLessEqual(back.count("U2"), 7)

    def test_the_same_question_has_the_same_answer(self):
        members = {f"U{n}": (40 * n, 1.0 + n % 3) for n in range(8)}
        self.assertEqual(Team(members, days=1).serve(400), Team(members, days=1).serve(400))

    def test_what_is_wrong_in_the_config_is_named(self):
        self.assertEqual(Config.parse("{}"), Config())
        for text, named in [
            ('{"quiet_days": -1}', "quiet_days is -1"),
            ('{"ramp_days": true}', "ramp_days is True"),
            ('{"ramp_days": "x"}', "ramp_days is 'x'"),
            ('{"quiet": 1}', "unknown field quiet"),
        ]:
            with self.assertRaisesRegex(ValueError, named):
                Config.parse(text)


if __name__ == "__main__":
    unittest.main()
