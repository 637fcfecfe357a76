import json
import unittest
from types import SimpleNamespace as Record

from strategy import choose

TEAM = [
    Record(user="ULEAD", role="lead", credit=0.75, last_served=None),
    Record(user="UANA", role="member", credit=0.25, last_served=Record(number=20780)),
    Record(user="UBEN", role="member", credit=0.25, last_served=None),
]


def picked(leads_too, among=TEAM):
    ctx = Record(candidates=among, config=json.dumps({"leads_too": leads_too}))
    return choose(ctx, lambda candidate: candidate.role == "lead")[0]


class Strategy(unittest.TestCase):
    def test_whoever_is_owed_most_is_next(self):
        self.assertEqual(picked(True), "ULEAD")
        self.assertEqual(picked(False), "UBEN")

    def test_a_team_of_leads_only_is_an_error_where_leads_are_left_out(self):
        with self.assertRaisesRegex(ValueError, "nobody but leads"):
            picked(False, TEAM[:1])


if __name__ == "__main__":
    unittest.main()
