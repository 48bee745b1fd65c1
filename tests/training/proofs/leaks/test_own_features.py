"""Every leak that a function of a user's own can have is caught and named, and an honest one is not accused."""

from __future__ import annotations

import functools
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from tests.domains.machines import BREAKDOWN
from tests.training.lake import LATENESS_US
from tests.training.proofs.leaks.seeded_own import SEEDED, Events, Function, honest
from training.datasets.offline_store import OfflineStore
from training.datasets.pinned_view import pin_view
from training.errors import LeakError
from training.proofs.leaks.outside import import_again
from training.proofs.leaks.own_features import own_leaks, sources_of, units_of
from training.proofs.leaks.sampled_rows import sample_rows
from training.runs.leak_command import spine_of

Given = tuple[Events, pl.DataFrame]


@pytest.fixture(scope="module")
def machines(machine_lake: Path) -> Given:
    """The events of the machines, and 300 of the readings with their labels. Reports of breakdowns come a day late."""
    store = OfflineStore(machine_lake)
    pinned = pin_view(store, BREAKDOWN, LATENESS_US)
    events = {each.name: units_of(each, store.pin_events(each).scan().collect()) for each in sources_of(BREAKDOWN)}
    late = pl.col("arrival_time") + timedelta(days=1)
    events["breakdowns"] = events["breakdowns"].with_columns(late)
    return events, spine_of(pinned, sample_rows(pinned, 1, 300))


def test_an_honest_function_is_not_accused(machines: Given) -> None:
    events, spine = machines
    again = functools.partial(import_again, honest.__module__, honest.__name__)
    report = own_leaks(honest, BREAKDOWN, events, spine, "label", again=again)
    assert report.leaks == ()
    assert report.checked == {"features of your own": 3}
    assert honest(events, spine)["own_mean"].is_not_null().any(), "the function has something to say"


@pytest.mark.parametrize(("function", "cause"), SEEDED, ids=lambda each: getattr(each, "__name__", ""))
def test_every_seeded_leak_is_caught_and_named(
    machines: Given, function: Function, cause: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rates.csv").write_text("1.25\n")
    monkeypatch.setenv("TOMORROWS_RATES", str(tmp_path / "rates.csv"))
    events, spine = machines
    a_second_later = pl.col("at") + timedelta(seconds=1)
    on_the_way = events["readings"].with_columns(arrival_time=pl.max_horizontal("arrival_time", a_second_later))
    again = functools.partial(import_again, function.__module__, function.__name__)
    report = own_leaks(function, BREAKDOWN, {**events, "readings": on_the_way}, spine, "label", again=again)
    assert {each.feature for each in report.leaks} == {"leaks"} or {each.feature for each in report.leaks} == {
        "own_mean"
    }
    assert any(each.cause.startswith(cause) for each in report.leaks), [each.describe() for each in report.leaks]


def test_what_cannot_be_tried_says_what_to_write(machines: Given) -> None:
    def fails(events: Events, spine: pl.DataFrame) -> pl.DataFrame:
        return spine.select("nothing")

    def shorter(events: Events, spine: pl.DataFrame) -> pl.DataFrame:
        return spine[:-1]

    def nothing(events: Events, spine: pl.DataFrame) -> None:
        spine.with_columns(celsius_2=pl.col("celsius") * 2)

    with pytest.raises(LeakError, match="fails cannot be tried: it raised ColumnNotFoundError"):
        own_leaks(fails, BREAKDOWN, *machines)
    with pytest.raises(LeakError, match=r"shorter gives 299 rows for 300 rows of the spine\. Return the spine"):
        own_leaks(shorter, BREAKDOWN, *machines)
    with pytest.raises(LeakError, match=r"nothing gives NoneType and no Polars DataFrame\. Return the spine"):
        own_leaks(nothing, BREAKDOWN, *machines)  # type: ignore[arg-type]  # what is tried here
    with pytest.raises(LeakError, match="adds no column"):
        own_leaks(lambda events, spine: spine, BREAKDOWN, *machines)
