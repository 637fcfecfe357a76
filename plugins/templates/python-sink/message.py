"""What is posted, and what the answer means. Plain Python, tested without WebAssembly."""

import json


def body(notification):
    """The body of the request that posts a notification."""
    return json.dumps(
        {
            "id": notification.id,
            "to": notification.recipient,
            "title": notification.title,
            "text": notification.text,
        }
    ).encode()


def verdict(status, headers):
    """None for delivered; else whether another try may help, and after how many seconds."""
    if 200 <= status < 300:
        return None
    if status != 429 and status < 500:
        return False, None
    after = next((value for name, value in headers if name == "retry-after"), "")
    return True, int(after) if after.isdecimal() else None
