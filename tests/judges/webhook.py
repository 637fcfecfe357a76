"""Verifies webhooks as a receiver would, with the library of the convention's authors.

Each line of the input is {"secret": …, "headers": {…}, "body": …}; each line of the output
"genuine", or why not.
"""

import json
import sys

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

for line in sys.stdin:
    case = json.loads(line)
    try:
        Webhook(case["secret"]).verify(case["body"], case["headers"])
        print("genuine")
    except WebhookVerificationError as error:
        print(error)
