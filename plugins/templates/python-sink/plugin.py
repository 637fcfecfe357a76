"""{{name}}: what oncalld calls."""

import json

from componentize_py_types import Err
from message import body, verdict
from wit_world import WitWorld as World
from wit_world.imports import http
from wit_world.imports.notifications import DeliveryError, FailureKind


class WitWorld(World):
    """The exports of the component."""

    def deliver(self, notification, config):
        """Delivers one notification, or raises an Err with a DeliveryError."""
        request = http.Request(
            method="POST",
            url=json.loads(config)["url"],
            headers=[http.Header("content-type", "application/json")],
            body=body(notification),
        )
        try:
            response = http.http_send(request)
        except Err as error:
            away = isinstance(error.value, (http.HttpError_Unreachable, http.HttpError_Timeout))
            raise failure(away, str(error.value.value), None) from error
        bad = verdict(response.status, [(header.name, header.value) for header in response.headers])
        if bad:
            again, after = bad
            raise failure(again, f"the other side answered {response.status}", after)


def failure(again, message, after):
    """What `deliver` raises."""
    kind = FailureKind.RETRYABLE if again else FailureKind.PERMANENT
    return Err(DeliveryError(kind, message, after))
