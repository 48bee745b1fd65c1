"""An aggregation is a class: nothing else has to be told of it. The classes made here have no line in the kernel."""

import importlib
import math
import pkgutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import shared_features
from shared_features.formats.entity_state import decode_states, encode_states
from shared_features.kernel import aggregations
from shared_features.kernel.aggregations import Aggregation, Count, Hashes, Words
from shared_features.kernel.event_time import DAY_US
from shared_features.kernel.loops.register_bytes import is_empty
from shared_features.kernel.loops.registers import Register
from shared_features.kernel.replay import read, replay
from shared_features.kernel.tile_state import TileState
from tests import oracle
from tests.oracle import Event
from tests.shared_features.kernel.engine import apply_events, assert_same_features, columns, expected
from tests.strategies import EVERY, WINDOWS, event_streams, layout

PAGE = Path(__file__).parents[4] / "docs/definitions.md"


@dataclass(frozen=True)
class Range(Aggregation):
    """The greatest value less the smallest; NaN of nothing."""

    name = "range"
    wording = "range of {column}"
    registers = (Register.MIN, Register.MAX)

    @staticmethod
    def finalize(row: Words, at: Words, kept: Hashes, scale: int, as_of_us: int) -> float:
        if is_empty(row[at[0]]):
            return math.nan
        return float((row[at[1]] - row[at[0]]) / scale)


@dataclass(frozen=True)
class SecondsBetween(Aggregation):
    """Seconds from the first event to the last; NaN of nothing. It needs no column."""

    name = "seconds_between"
    wording = "seconds from the first {event} to the latest"
    unit = "seconds"
    registers = (Register.FIRST, Register.LAST)
    needs_column = False

    @staticmethod
    def finalize(row: Words, at: Words, kept: Hashes, scale: int, as_of_us: int) -> float:
        if is_empty(row[at[0]]):
            return math.nan
        return float((row[at[1]] - row[at[0]]) / 1e6)


@pytest.fixture(autouse=True)
def _lines_in_the_oracle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(oracle.VALUES, "range", lambda v, unit, **_: (max(v) - min(v)) / unit)
    monkeypatch.setitem(oracle.VALUES, "seconds_between", lambda t, **_: (t[-1] - t[0]) / 1e6)


NEW = layout(WINDOWS, (Count(), Range(), SecondsBetween()))


@given(event_streams(), st.integers(1, 2 * DAY_US))
def test_a_new_class_is_read_replayed_and_stored_as_the_oracle_says(events: list[Event], later: int) -> None:
    state, replayed, stored = TileState(NEW), TileState(NEW), TileState(NEW)
    (slot,), _, _ = state.add(1), replayed.add(1), stored.add(1)
    apply_events(state, slot, events)
    as_of = max([0, *(event.event_time_us for event in events)]) + later
    wanted = expected(NEW, events, as_of)
    assert_same_features(NEW, read(state, [slot], as_of)[0], wanted)

    slots, effects = [slot] * len(events), [event.event_time_us + 1 for event in events]
    assert_same_features(NEW, replay(replayed, slots, effects, *columns(events), [slot], [as_of])[0], wanted)

    decode_states(stored, [slot], encode_states(state, [slot], 0), 0)
    assert_same_features(NEW, read(stored, [slot], as_of)[0], wanted)
    assert encode_states(stored, [slot], 0) == encode_states(state, [slot], 0)


def test_no_class_of_any_module_is_forgotten_by_the_face_or_by_the_laws() -> None:
    """What walks the classes finds those that the face of the package imports. A class left out would pass unproven."""
    names = [f"{aggregations.__name__}.{module.name}" for module in pkgutil.iter_modules(aggregations.__path__)]
    modules = [importlib.import_module(name) for name in names]
    written = {
        name: each
        for module in modules
        for name, each in vars(module).items()
        if isinstance(each, type) and issubclass(each, Aggregation) and each is not Aggregation
    }
    assert {type(each) for each in EVERY} == set(written.values())
    assert written.keys() <= set(aggregations.__all__)
    assert written.keys() <= set(shared_features.__all__)


def test_an_aggregation_without_finalize_cannot_be_made() -> None:
    class Unfinished(Aggregation):
        name = "unfinished"
        registers = (Register.COUNT,)

    with pytest.raises(TypeError, match="finalize"):
        Unfinished()  # type: ignore[abstract]  # what is tested


@pytest.mark.parametrize("aggregation", EVERY, ids=lambda each: each.name)
def test_every_aggregation_has_its_line_in_the_oracle_and_its_place_on_the_page(aggregation: Aggregation) -> None:
    assert aggregation.name in oracle.VALUES
    assert f"`{type(aggregation).__name__}`" in PAGE.read_text()


def test_one_column_carries_every_aggregation() -> None:
    """The oracle tests draw from the classes: one that is forgotten there would show here."""
    drawn = {type(feature.aggregation) for feature in layout().features}
    assert drawn == {type(each) for each in EVERY}
