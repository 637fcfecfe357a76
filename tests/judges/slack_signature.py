"""Signs requests as Slack does, with Slack's own SDK.

Each line of the input is {"secret": …, "age": seconds, "body": …}; each line of the output
{"timestamp": …, "signature": …}.
"""

import json
import sys
import time

from slack_sdk.signature import Clock, SignatureVerifier


class Since(Clock):
    """The clock of somebody who sent the request some time ago."""

    def __init__(self, age):
        self.age = age

    def now(self):
        return time.time() - self.age


for line in sys.stdin:
    case = json.loads(line)
    clock = Since(case["age"])
    verifier = SignatureVerifier(case["secret"], clock)
    timestamp = str(int(clock.now()))
    signature = verifier.generate_signature(timestamp=timestamp, body=case["body"])
    assert verifier.is_valid(case["body"], timestamp, signature)
    print(json.dumps({"timestamp": timestamp, "signature": signature}))
