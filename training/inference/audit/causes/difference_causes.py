"""Why a record of one view does not come out again.

The cause is found by what still agrees. Where the logged scores follow from the logged features, the model did see
these features: what it read in Redis was altered, or the lake lacks events that it was made from.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from shared_features.definitions import FeatureView
from training.inference.audit.causes.absent_events import AbsentEvents
from training.inference.audit.findings import ALTERED_VALUE, CHANGED_CODE
from training.inference.audit.logged_rows import LoggedRows
from training.inference.audit.replay.shard_lives import Int64

Cause = tuple[str, str]
"""Its name, and what was found."""


class DifferenceCauses:
    """Of the rows that are compared together. seen: float32[n, columns], by the events of the vectors.

    chosen: by the name of a group's part the vector of each row, a number of the rows' `vectors`.
    """

    def __init__(
        self, view: FeatureView, rows: LoggedRows, seen: NDArray[np.float32], chosen: Mapping[str, Int64]
    ) -> None:
        self._view, self._rows, self._seen, self._chosen = view, rows, seen, chosen
        self._release = importlib.metadata.version("millrace")

    def of(self, record: int, own: slice, absent: Mapping[str, AbsentEvents], *, follows: bool) -> Cause:
        """record: which of the records. own: its rows. absent: by the name of a part. follows: scores from features."""
        unlike = np.argwhere(~equal(self._seen[own], self._rows.features[own])).tolist()
        release = self._rows.records[record].release
        if unlike and follows and (lacking := self._lacking(unlike, own.start, absent)):
            return lacking
        detail = self._first(unlike[0], own) if unlike else "the scores are others"
        if unlike and follows and release == self._release:
            return ALTERED_VALUE, detail
        return CHANGED_CODE, f"release {release or 'unknown'} answered, this is {self._release}: {detail}"

    def _lacking(self, unlike: list[list[int]], start: int, absent: Mapping[str, AbsentEvents]) -> Cause | None:
        """What the lake lacks, where each value that differs has such a group among its inputs."""
        found: dict[tuple[int, str], Cause | None] = {}
        explained: Cause | None = None
        for row, column in unlike:
            groups = {each.feature.group.part_name for each in self._view.columns[column].inputs if each.feature}
            for name in groups:
                if (row, name) not in found:
                    shard = self._rows.vectors.receipt(int(self._chosen[name][start + row]))
                    found[row, name] = absent[name].cause(shard, int(self._rows.as_of_us[start + row]))
            causes = [cause for name in sorted(groups) if (cause := found[row, name])]
            if not causes:
                return None
            explained = explained or causes[0]
        return explained

    def _first(self, unlike: list[int], own: slice) -> str:
        row, column = unlike
        at, which = own.start + row, f"$.instances[{row}]: " if own.stop - own.start > 1 else ""
        name, logged = self._view.columns[column].name, self._rows.features[at, column]
        return f"{which}{name} was {logged!s}, and the events give {self._seen[at, column]!s}"


def equal(left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Bit for bit; every NaN is missing."""
    same: NDArray[np.bool_] = np.ascontiguousarray(left).view(np.uint32) == np.ascontiguousarray(right).view(np.uint32)
    return same | (np.isnan(left) & np.isnan(right))
