"""A figure: one measured number beside the baseline it was measured with, and how a run of them is printed."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Figure:
    """`value` in `unit`; `baseline` is what the same run measured of the thing named in `against`."""

    name: str
    value: float
    unit: str
    baseline: float | None = None
    against: str = ""

    @property
    def ratio(self) -> float | None:
        """value / baseline: above 1 is more of the unit than the baseline."""
        return self.value / self.baseline if self.baseline else None


@dataclass
class Seconds:
    """Wall time of a block, filled in at its end."""

    elapsed: float = 0.0


@contextmanager
def stopwatch() -> Iterator[Seconds]:
    seconds = Seconds()
    start = time.perf_counter()
    try:
        yield seconds
    finally:
        seconds.elapsed = time.perf_counter() - start


def median_seconds(work: Callable[[], object], runs: int) -> float:
    """Median wall time of `runs` runs, after one that is thrown away."""
    work()
    times = []
    for _ in range(runs):
        with stopwatch() as seconds:
            work()
        times.append(seconds.elapsed)
    return statistics.median(times)


def machine() -> dict[str, Any]:
    """What a reader needs to judge the figures by."""
    return {
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "processor": platform.processor() or platform.machine(),
        "python": platform.python_version(),
        "system": platform.platform(),
    }


def _shown(value: float) -> str:
    """A count whole, so that it can be compared with what a page says of it; a measured value to four digits."""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.4g}"


def print_table(figures: list[Figure]) -> None:
    table = Table(title="benchmarks")
    for heading in ("figure", "value", "unit", "baseline", "ratio", "against"):
        table.add_column(heading, justify="right" if heading in ("value", "baseline", "ratio") else "left")
    for each in figures:
        baseline = "" if each.baseline is None else _shown(each.baseline)
        ratio = "" if each.ratio is None else f"{each.ratio:.3g}"
        table.add_row(each.name, _shown(each.value), each.unit, baseline, ratio, each.against)
    Console(width=140).print(table)


def write_json(figures: list[Figure], path: Path) -> None:
    rows = [{**asdict(each), "ratio": each.ratio} for each in figures]
    path.write_text(json.dumps({"figures": rows, "machine": machine()}, indent=2) + "\n")
