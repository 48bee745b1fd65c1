"""Explains rows of predictions, from the stored bytes of their entities. Other requests pay nothing for it."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from serving.answer.explanation import ExplainedValue, ExplainedWindow, Explanation, ReadState
from serving.answer.feature_value import feature_value
from serving.online_store.online_store import Values
from shared_features.definitions import Feature, FeatureView, Field, Input
from shared_features.definitions.views.named_inputs import AS_OF
from shared_features.entity_contents import WindowContents, head_of, tiles_of, window_contents
from shared_features.formats.entity_state import decode_states, owners_of
from shared_features.formats.receipt import ShardReceipt
from shared_features.kernel.hashing import text_codes
from shared_features.kernel.replay import read
from shared_features.kernel.tile_state import NEVER_US, TileState
from shared_features.stored_features.exact_instant import exact_from_us
from shared_features.stored_features.feature_vectors import FeatureRows, ReadPlan
from shared_features.stored_features.group_reader import GroupRows
from shared_features.stored_features.shards import Shard

_NO_KEY = "Redis has no such key: no event of this entity is in a window of the group."
_Row = Mapping[str, int | str | None]
"""The fields of an instance: texts, and numbers in steps. None is missing."""
_Read = tuple[list[list[bytes]], Sequence[Values]]
"""The keys that were read, and what they gave; nothing where the store did not answer."""


class _Entity(NamedTuple):
    """One entity in one group: its state as it is told, and per feature of the group its value and its window."""

    told: ReadState
    values: NDArray[np.float64]
    windows: list[WindowContents]
    usable: bool


class ExplainedRows:
    """Explains the rows of one view."""

    def __init__(self, view: FeatureView) -> None:
        self._view = view

    def explanation(
        self,
        plan: ReadPlan,
        values: Sequence[Values],
        rows: FeatureRows,
        row: int,
        unseen: Collection[str] = (),
        known: Mapping[str, Any] | None = None,
    ) -> Explanation:
        """Of one row. `values`: what the plan's reads gave; none where the store did not answer.

        unseen: the features whose value the model was not trained on. known: feature -> what the model saw, a category
        by its name.
        """
        request = _request(plan, row)
        entities = {
            group.name: _entity(group, plan.places[place][row], (plan.reads, values), request, rows, row)
            for place, group in enumerate(rows.groups)
        }
        as_of_us = int(rows.as_of_us[row])
        features = {}
        for column, seen in zip(self._view.columns, rows.matrix[row].tolist(), strict=True):
            inputs = {_name(each): self._input(each, request, entities, as_of_us) for each in column.inputs}
            if column.function is None:
                (passed,) = inputs.values()
                name = None if column.category is None or known is None else known[column.name]
                if isinstance(name, str):  # a stored text is a code, which the model's own vocabulary names
                    features[column.name] = msgspec.structs.replace(passed, value=name, is_code=msgspec.UNSET)
                    continue
                value = passed.value if column.category is not None else feature_value(seen)
                is_unseen = True if column.name in unseen else msgspec.UNSET
                features[column.name] = msgspec.structs.replace(passed, value=value, is_unseen=is_unseen)
            else:
                features[column.name] = ExplainedValue(feature_value(seen), "on_demand", inputs=inputs)
        return Explanation(features, {name: entity.told for name, entity in entities.items()})

    def _input(self, wanted: Input, request: _Row, entities: Mapping[str, _Entity], as_of_us: int) -> ExplainedValue:
        if wanted.field is not None:
            return ExplainedValue(_field_value(self._view.source.field(wanted.field), request), "request")
        if wanted.feature is None:
            return ExplainedValue(float(as_of_us), "instant")
        group, index = wanted.feature.group.part_name, wanted.feature.index
        entity = entities[group]
        value = float(entity.values[index])
        shown = _text(value, request) if wanted.is_text else None
        window = _window(wanted.feature, entity.windows[index], usable=entity.usable)
        if shown is not None:
            return ExplainedValue(shown, "stored", group, window)
        is_code = True if wanted.is_text and not np.isnan(value) else msgspec.UNSET
        return ExplainedValue(feature_value(value), "stored", group, window, is_code=is_code)


def _entity(
    group: GroupRows, place: tuple[Shard, int, int], was_read: _Read, request: _Row, rows: FeatureRows, row: int
) -> _Entity:
    """Decode the entity of a row once more, and say where it was read."""
    (reads, values), (_, of_read, of_key) = was_read, place
    key, problem, facts = reads[of_read][of_key], group.problems[row], group.facts[row]
    stored = values[of_read][of_key] if values and problem is None else None
    state = TileState(group.group.layout)
    (slot,) = state.add(1).tolist()
    build = np.uint64(0 if facts is None else facts.build_id)
    found = bool(decode_states(state, [slot], [stored], build, owners_of([key]), {})[0])
    as_of_us, newest_us = int(rows.as_of_us[row]), int(state.newest_us([slot])[0])
    now_us = time.time_ns() // 1000
    from_us = NEVER_US if facts is None or problem else exact_from_us(group.group, newest_us, facts, now_us)
    told = ReadState(
        group.group.label,
        {name: value for name, value in request.items() if name in group.group.entity.keys and value is not None},
        key.decode(errors="backslashreplace"),
        "redis" if found else "default",
        msgspec.UNSET if found else problem or _NO_KEY,
        None if newest_us == NEVER_US else newest_us,
        None if from_us == NEVER_US else from_us,
        len(head_of(state, slot)),
        len(tiles_of(state, slot)),
        msgspec.json.decode(facts.receipt, type=ShardReceipt) if facts is not None and facts.receipt else msgspec.UNSET,
    )
    floats = read(state, [slot], as_of_us)[0]
    floats = floats if problem is None else np.full_like(floats, np.nan)
    return _Entity(told, floats, window_contents(state, slot, as_of_us), problem is None)


def _window(feature: Feature, found: WindowContents, *, usable: bool) -> ExplainedWindow:
    age_s = None if found.newest_us is None else (found.until_us - found.newest_us) / 1e6
    events, with_value = (found.events, _with_value(feature, found)) if usable else (None, None)
    valued = msgspec.UNSET if feature.aggregate.column is None else with_value
    return ExplainedWindow(found.from_us, found.until_us, events, found.newest_us, found.within_us, age_s, valued)


def _with_value(feature: Feature, found: WindowContents) -> int | None:
    column = feature.aggregate.column
    is_optional = column is not None and any(each.field(column).optional for each in feature.group.sources)
    return found.with_value if is_optional else found.events


def _name(wanted: Input) -> str:
    if wanted.feature is not None:
        return wanted.feature.full_name
    return AS_OF if wanted.field is None else wanted.field


def _request(plan: ReadPlan, row: int) -> dict[str, int | str | None]:
    columns, valid = plan.columns.columns, plan.columns.valid
    return {
        name: _plain(column[row]) if name not in valid or valid[name][row] else None for name, column in columns.items()
    }


def _plain(value: Any) -> int | str:
    return value if isinstance(value, str) else int(value)


def _field_value(field: Field, request: _Row) -> Any:
    value = request[field.name]
    return value / field.scale if isinstance(value, int) else value


def _text(code: float, request: _Row) -> str | None:
    """The text that a stored code stands for, where the request has the same text. A code cannot be turned back."""
    texts = [value for value in request.values() if isinstance(value, str)]
    return next((text for text, own in zip(texts, text_codes(texts).tolist(), strict=True) if own == code), None)
