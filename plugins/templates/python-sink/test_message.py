import json
import unittest
from types import SimpleNamespace as Record

from message import body, verdict


class Message(unittest.TestCase):
    def test_a_notification_becomes_json(self):
        notification = Record(id="1", recipient="UANA", title="On call", text="Until Monday")
        posted = {"id": "1", "to": "UANA", "title": "On call", "text": "Until Monday"}
        self.assertEqual(json.loads(body(notification)), posted)

    def test_the_answer_says_whether_to_try_again(self):
        self.assertIsNone(verdict(204, []))
        self.assertEqual(verdict(503, [("retry-after", "7")]), (True, 7))
        self.assertEqual(verdict(429, [("retry-after", "Wed, 21 Oct")]), (True, None))
        self.assertEqual(verdict(404, []), (False, None))


if __name__ == "__main__":
    unittest.main()
