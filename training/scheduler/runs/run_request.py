"""The request for a run: how DBOS is asked for one, and what the run gets."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from dbos import EnqueueOptions

from training.errors import RequestError
from training.runs.plan.templates import check_request
from training.scheduler.runs.imported_runs import IMPORTED, is_imported
from training.scheduler.workflow.durable_run import QUEUE, VERSION, WORKFLOW

_LONGEST = 500


def run_request(
    template: str, parameters: Mapping[str, Any], run_id: str | None, reason: str
) -> tuple[EnqueueOptions, dict[str, Any]]:
    """The options of DBOS, and the request. run_id: None: a new one. reason: why it is started, for people.

    Raises RequestError for a template, parameters or an id that cannot be.
    """
    run_id = run_id or f"{template}-{uuid.uuid4().hex[:12]}"
    if is_imported(run_id):
        raise RequestError(f"{run_id!r} cannot be the id of a new run: {IMPORTED!r} marks runs that were imported.")
    if len(reason) > _LONGEST:
        raise RequestError(
            f"The reason of a run has {len(reason):,} characters, more than {_LONGEST}. Say it in one sentence.",
            "$.reason",
        )
    check_request(template, parameters)
    options: EnqueueOptions = {
        "queue_name": QUEUE,
        "workflow_name": WORKFLOW,
        "workflow_id": run_id,
        "app_version": VERSION,
        "queue_partition_key": template,
    }
    request = {
        "template": template,
        "parameters": dict(parameters),
        "asked_at": datetime.now(UTC).isoformat(),
        "reason": reason,
    }
    return options, request
