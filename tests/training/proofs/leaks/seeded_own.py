"""Functions that add columns to a spine of readings: an honest one, and one for each leak that can be written."""

from __future__ import annotations

import datetime
import functools
import os
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

import polars as pl

Events = Mapping[str, pl.DataFrame]
Function = Callable[[Events, pl.DataFrame], pl.DataFrame]
HOUR, US = timedelta(hours=1), timedelta(microseconds=1)
_calls: list[int] = []


def _mean_of(events: Events, spine: pl.DataFrame, counts: pl.Expr) -> pl.DataFrame:
    """The mean of a machine's readings for which `counts` is true."""
    readings = events["readings"].select("machine", "arrival_time", their_at="at", theirs="celsius")
    rows = spine.with_row_index("row")
    pairs = rows.select("row", "machine", "as_of").join(readings, on="machine")
    found = pairs.filter(counts).group_by("row").agg(own_mean=pl.col("theirs").mean())
    return rows.join(found, on="row", how="left", maintain_order="left").drop("row")


_ARRIVED = pl.col("arrival_time") <= pl.col("as_of")
_HOUR = pl.col("their_at") >= pl.col("as_of") - HOUR


def honest(events: Events, spine: pl.DataFrame) -> pl.DataFrame:
    before = pl.col("their_at") < pl.col("as_of")
    found = _mean_of(events, spine, _HOUR & before & _ARRIVED)
    return found.with_columns(own_ratio=pl.col("celsius") / pl.col("own_mean"), own_hour=pl.col("as_of").dt.hour())


def next_row(events: Events, spine: pl.DataFrame) -> pl.DataFrame:
    return spine.with_columns(leaks=pl.col("celsius").shift(-1))


def label_without_its_delay(events: Events, spine: pl.DataFrame) -> pl.DataFrame:
    """Counted from the instant of the reading, and not from when the breakdown became known."""
    broke = events["breakdowns"].filter("broke").select("reading")
    readings = events["readings"].join(broke, on="reading", how="semi").select("machine", their_at="at")
    rows = spine.with_row_index("row")
    pairs = rows.select("row", "machine", "as_of").join(readings, on="machine")
    count = pairs.filter(pl.col("their_at") < pl.col("as_of")).group_by("row").agg(leaks=pl.len())
    return rows.join(count, on="row", how="left", maintain_order="left").drop("row")


def label_before_it_arrived(events: Events, spine: pl.DataFrame) -> pl.DataFrame:
    """Counted from when the machine broke, and not from when the report of it arrived."""
    broke = events["breakdowns"].filter("broke").select("reading", their_at="at")
    readings = events["readings"].join(broke, on="reading").select("machine", "their_at")
    rows = spine.with_row_index("row")
    pairs = rows.select("row", "machine", "as_of").join(readings, on="machine")
    count = pairs.filter(pl.col("their_at") < pl.col("as_of")).group_by("row").agg(leaks=pl.len())
    return rows.join(count, on="row", how="left", maintain_order="left").drop("row")


def whole_set(events: Events, spine: pl.DataFrame) -> pl.DataFrame:
    celsius = pl.col("celsius")
    return spine.with_columns(leaks=(celsius - celsius.mean()) / celsius.std())


def centred_window(events: Events, spine: pl.DataFrame) -> pl.DataFrame:
    near = (pl.col("their_at") - pl.col("as_of")).abs() < HOUR
    return _mean_of(events, spine, near & (pl.col("their_at") != pl.col("as_of"))).rename({"own_mean": "leaks"})


def target_encoding(events: Events, spine: pl.DataFrame) -> pl.DataFrame:
    return spine.with_columns(leaks=pl.col("label").cast(pl.Float64).mean().over("machine"))


def clock(events: Events, spine: pl.DataFrame) -> pl.DataFrame:
    age = (pl.lit(time.time_ns() // 1000) - pl.col("as_of").to_physical()) / 1e6
    return spine.with_columns(leaks=age)


def calendar(events: Events, spine: pl.DataFrame) -> pl.DataFrame:
    today = datetime.date.today()  # noqa: DTZ011  # the clock is what leaks here
    return spine.with_columns(leaks=pl.lit(float(today.toordinal())))


def state(events: Events, spine: pl.DataFrame) -> pl.DataFrame:
    _calls.append(len(spine))
    return spine.with_columns(leaks=pl.lit(float(len(_calls))))


_kept: dict[str, float] = {}


def kept_from_the_first_call(events: Events, spine: pl.DataFrame) -> pl.DataFrame:
    """The mean of a machine over all rows, once and for all: no later call sees it change."""
    for machine, mean in spine.group_by("machine").agg(pl.col("celsius").mean()).iter_rows():
        _kept.setdefault(machine, mean)
    return spine.with_columns(leaks=pl.col("machine").replace_strict(_kept, default=None, return_dtype=pl.Float64))


def _caching() -> Function:
    kept: list[float] = []

    def function(events: Events, spine: pl.DataFrame) -> pl.DataFrame:
        if not kept:
            kept.append(float(events["readings"]["celsius"].mean()))  # type: ignore[arg-type]  # of numbers
        return spine.with_columns(leaks=pl.col("celsius") - kept[0])

    return function


kept_in_a_closure = _caching()
kept_in_a_closure.__name__ = "kept_in_a_closure"


def clock_by_a_partial(events: Events, spine: pl.DataFrame) -> pl.DataFrame:
    """In days: what two calls one after the other see differs by less than any rounding."""
    return spine.with_columns(leaks=pl.lit(_days()))


def _days_of(now: Callable[[], float]) -> float:
    return round(now() / 86_400, 3)


_days = functools.partial(_days_of, time.time)


def edge_off_by_one_of_what_arrived(events: Events, spine: pl.DataFrame) -> pl.DataFrame:
    """No event of these has arrived when it happens. One that does would count itself."""
    until = pl.col("their_at") <= pl.col("as_of")
    return _mean_of(events, spine, _HOUR & until & _ARRIVED).rename({"own_mean": "leaks"})


def tomorrows_file(events: Events, spine: pl.DataFrame) -> pl.DataFrame:
    rate = float(Path(os.environ["TOMORROWS_RATES"]).read_text())
    return spine.with_columns(leaks=pl.col("celsius") * rate)


def tomorrows_table(events: Events, spine: pl.DataFrame) -> pl.DataFrame:
    """Polars opens the file, and not Python."""
    rate = pl.read_csv(os.environ["TOMORROWS_RATES"], has_header=False, new_columns=["rate"])["rate"][0]
    return spine.with_columns(leaks=pl.col("celsius") * rate)


def edge_off_by_one(events: Events, spine: pl.DataFrame) -> pl.DataFrame:
    until = pl.col("their_at") < pl.col("as_of") + US
    return _mean_of(events, spine, _HOUR & until).rename({"own_mean": "leaks"})


def row_in_its_own_window(events: Events, spine: pl.DataFrame) -> pl.DataFrame:
    near = spine.with_row_index("row").rolling("as_of", period="1h", closed="both", group_by="machine")
    means = near.agg(pl.col("celsius").mean().alias("leaks"), pl.col("row").last())
    return spine.with_columns(means.sort("row")["leaks"])


SEEDED: tuple[tuple[Function, str], ...] = (
    (next_row, "rows that come later"),
    (label_without_its_delay, "events that happened later (breakdowns)"),
    (label_before_it_arrived, "events that had not arrived yet (breakdowns)"),
    (whole_set, "rows that come later"),
    (centred_window, "events that happened later (readings)"),
    (target_encoding, "labels that were not known yet"),
    (clock, "the clock"),
    (calendar, "the clock"),
    (state, "what was computed before"),
    (kept_from_the_first_call, "what was computed before"),
    (kept_in_a_closure, "what was computed before"),
    (clock_by_a_partial, "the clock"),
    (edge_off_by_one_of_what_arrived, "events of the same instant, its own among them (readings)"),
    (tomorrows_file, "a file or connection: "),
    (tomorrows_table, "a file or connection: "),
    (edge_off_by_one, "events of the same instant, its own among them (readings)"),
    (row_in_its_own_window, "rows of the same instant, itself among them"),
)
"""With the cause by which the gate must name each of them."""
