"""The webhook: each piece of news is sent to an address once, by a workflow of DBOS that survives a kill."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dbos import DBOS, DBOSClient, EnqueueOptions

from training.json_post import post_json
from training.scheduler.news.news import News
from training.scheduler.workflow.durable_run import VERSION

TELL_WORKFLOW = "tell"
TELL_QUEUE = "news"
FIRST_WAIT_S = 5.0
_ATTEMPTS = 6

Send = Callable[[Mapping[str, Any]], None]


def register_webhook(url: str) -> None:
    """Make the workflow known to DBOS. The address stays in this process: it may hold a secret."""

    @DBOS.workflow(name=TELL_WORKFLOW)
    def tell(body: dict[str, Any]) -> None:
        DBOS.run_step(
            {
                "name": "send",
                "retries_allowed": True,
                "max_attempts": _ATTEMPTS,
                "interval_seconds": FIRST_WAIT_S,
                "backoff_rate": 3.0,
            },
            post_json,
            url,
            body,
        )


def tell(client: DBOSClient, news: News) -> None:
    """Queue it, unless it was told before. Runs have nothing to do with it: it neither fails nor delays one."""
    options: EnqueueOptions = {
        "queue_name": TELL_QUEUE,
        "workflow_name": TELL_WORKFLOW,
        "workflow_id": news.id,
        "app_version": VERSION,
    }
    client.enqueue(options, news.body)
