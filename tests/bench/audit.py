"""The audit of the prediction log beside what no audit can do without: reading the log, and running the model on it.

Each audit runs in a process of its own, as the command does, so that its peak memory is its own. The log has one
instance a record, which is what costs most.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from shared_features.event_sources import CARD_LABELS, CARD_TRANSACTIONS
from shared_features.feature_views import CARD_FRAUD
from tests.bench.figures import Figure
from tests.bench.filled_lake import fill_lake
from tests.bench.filled_log import fill_log
from tests.bench.served_predictions import ROOT
from tests.bench.small_model import publish_small_model
from tests.bench.transactions import measured_transactions

_FEWER, _MORE = 250_000, 1_000_000


def measure(file: Path | None) -> list[Figure]:
    rows = measured_transactions(file)
    with TemporaryDirectory(prefix="millrace-bench-") as place:
        folder = Path(place)
        publish_small_model(folder / "registry", CARD_FRAUD, rows)
        for source in (CARD_TRANSACTIONS, CARD_LABELS):
            fill_lake(folder / "lake", source, rows, copies=1)
        found = {}
        for count in (_FEWER, _MORE):
            lake = folder / f"lake{count}"
            lake.mkdir()
            for table in ("events_card_transactions", "events_card_labels"):
                (lake / table).symlink_to(folder / "lake" / table)
            fill_log(lake, folder / "registry", CARD_FRAUD, rows, count)
            found[count] = {name: _run(name, lake, folder / "registry") for name in ("bare", "audit", "stages")}
        return _figures(found)


def _run(name: str, lake: Path, registry: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.bench.audit_process", name, str(lake), str(registry)]
    said = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    found: dict[str, float] = json.loads(said)
    return found


def _figures(found: dict[int, dict[str, dict[str, float]]]) -> list[Figure]:
    ours, bare = found[_MORE]["audit"], found[_MORE]["bare"]
    against = "reading the same log, and one model run on its features"
    figures = [
        Figure("audit", _MORE / ours["seconds"], "predictions/s", _MORE / bare["seconds"], against),
        Figure("audit, processor time", ours["used_us"], "us/prediction", bare["used_us"], against),
        Figure("audit, cores at work", ours["used_us"] * _MORE / 1e6 / ours["seconds"], "cores"),
        Figure(
            f"audit, peak memory, {_MORE:,} predictions", ours["peak_mb"], "MB",
            found[_FEWER]["audit"]["peak_mb"], f"{_FEWER:,} predictions",
        ),
    ]  # fmt: skip
    alone = found[_MORE]["stages"]
    stages = {name.removeprefix("stage "): us for name, us in alone.items() if name.startswith("stage ")}
    return figures + [
        Figure(f"audit: {name}", us, "us/prediction", alone["used_us"], "all stages") for name, us in stages.items()
    ]
