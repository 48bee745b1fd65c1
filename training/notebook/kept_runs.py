"""The runs whose results are kept, as one table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from shared_features.kernel.event_time import to_datetime
from training.steps.run_journal import journals

_SCHEMA: dict[str, Any] = {
    "view": pl.String,
    "run": pl.String,
    "began": pl.Datetime("us", "UTC"),
    "status": pl.String,
    "steps": pl.Int64,
    "says": pl.String,
    "folder": pl.String,
}


def kept_runs(runs: Path) -> pl.DataFrame:
    """The newest first: of which view, when it began, how it ended, how many steps are done, what it said last."""
    found = [
        (
            folder.name,
            run.name,
            to_datetime(journal.began_at_us),
            journal.status,
            len(journal.steps),
            journal.error or next((step.line for step in reversed(journal.steps.values())), ""),
            str(run),
        )
        for folder in sorted(each for each in runs.glob("*") if each.is_dir())
        for run, journal in journals(folder)
    ]
    return pl.DataFrame(found, schema=_SCHEMA, orient="row").sort("began", descending=True, maintain_order=True)
