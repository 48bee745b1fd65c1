"""How an answer without a prediction is written: from rows of features to the bytes of its JSON."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import UNSET

from serving.answer.feature_answer import FeatureAnswer, InstanceFeatures
from serving.answer.feature_value import FeatureValue, feature_value
from serving.answer.written_answer import shards_read
from serving.features.group_view import GroupView
from shared_features.definitions import FeatureView
from shared_features.stored_features.feature_vectors import FeatureRows

_encode = msgspec.json.Encoder().encode


class WrittenFeatures:
    """Writes the features of one view, or of one group."""

    def __init__(self, view: FeatureView) -> None:
        self._label, self._is_group = view.label, isinstance(view, GroupView)
        self._names = tuple(column.name for column in view.columns)
        self._categories = [column for column, _ in view.categories]

    def write(
        self, as_of_us: int, rows: FeatureRows, start: int, stop: int, named_us: Sequence[int | None] | None
    ) -> bytes:
        """The JSON of the answer to one request, whose rows are start..stop.

        named_us: times of the events that the instances name.
        """
        named = [each is not None for each in named_us or [None] * (stop - start)]
        instances = [self._instance(rows, start + at, is_named) for at, is_named in enumerate(named)]
        freshness, receipt = shards_read(rows, start, stop, as_of_us)
        return _encode(
            FeatureAnswer(
                view=UNSET if self._is_group else self._label,
                group=self._label if self._is_group else UNSET,
                as_of_us=as_of_us,
                instances=instances,
                degraded=any(each.degraded for each in instances),
                freshness_seconds=freshness,
                receipt=receipt,
            )
        )

    def _instance(self, rows: FeatureRows, row: int, is_named: bool) -> InstanceFeatures:
        own_us = int(rows.as_of_us[row])
        ages = {group.name: group.ages_s[row] for group in rows.groups}
        return InstanceFeatures(
            features=self._values(rows, row),
            feature_age_seconds=ages,
            event_time_us={name: None if age is None else own_us - round(age * 1e6) for name, age in ages.items()},
            missing_entities=[group.name for group in rows.groups if group.missing[row]],
            degraded=any(group.problems[row] is not None for group in rows.groups),
            as_of_us=own_us if is_named else UNSET,
        )

    def _values(self, rows: FeatureRows, row: int) -> dict[str, FeatureValue]:
        values: list[float] = rows.matrix[row].tolist()
        if rows.codes is not None:  # no model says which place a value has: its code
            codes: Sequence[float] = rows.codes[row].tolist()
            for column, code in zip(self._categories, codes, strict=True):
                values[column] = code
        return dict(zip(self._names, map(feature_value, values), strict=True))
