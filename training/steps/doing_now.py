"""What is being done now: the steps of the run that began last, for everybody who looks on."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import msgspec

from training.progress import PROGRESS_FILES, Doing
from training.steps.run_journal import journals


def doing_now(runs: Path) -> list[Doing]:
    """The steps that the newest run below a folder does, the longest first. Empty between steps, and after its end."""
    found = list[Doing]()
    for run, _ in journals(runs)[:1]:
        for file in run.glob(PROGRESS_FILES):
            with suppress(OSError, msgspec.MsgspecError):  # the step has just ended
                found.append(msgspec.json.decode(file.read_bytes(), type=Doing))
    return sorted(found, key=lambda each: each.since_us)
