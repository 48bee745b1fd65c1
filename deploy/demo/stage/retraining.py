"""Retraining while the demo stays up: a schedule that ticks each minute, put by REST."""

from __future__ import annotations

import http.client
import json

from deploy.demo.errors import DemoError

SCHEDULE = "every-minute"
_LIMIT_S = 30.0


def retrain_each_minute(port: int) -> bool:
    """Put the schedule; False while nobody answers. Raises DemoError where it is refused."""
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=_LIMIT_S)
    try:
        body = json.dumps({"cron": "* * * * *", "template": "retrain"})
        asked.request("PUT", f"/v1/schedules/{SCHEDULE}", body, {"content-type": "application/json"})
        answer = asked.getresponse()
        if answer.status != http.HTTPStatus.OK:
            raise DemoError(f"the schedule {SCHEDULE} was refused: {answer.read().decode()}")
    except OSError:
        return False
    finally:
        asked.close()
    return True
