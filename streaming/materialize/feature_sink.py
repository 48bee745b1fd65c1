"""The sink of materialize: the rows of a pass and its cut in one commit, then the snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition

from shared_features.formats.offline_tables import CUT_APP, ERASURES_APP, features_table
from streaming.lake.handle import DeltaHandle
from streaming.lake.tables import DELTA, DeltaTables
from streaming.log import get_log
from streaming.materialize.pass_step import PassRows
from streaming.materialize.spine_rows import feature_schema
from streaming.replay.snapshots import Snapshots
from streaming.replay.spine import Spine
from streaming.settings import StreamingSettings


class FeatureSink(FixedPartitionedSink[PassRows, None]):
    """One part per spine."""

    def __init__(self, settings: StreamingSettings, spines: Mapping[str, Spine]) -> None:
        self._settings, self._spines = settings, spines
        self._numbers = {label: number for number, label in enumerate(sorted(spines))}

    def list_parts(self) -> list[str]:
        return sorted(self._spines)

    def part_fn(self, item_key: str) -> int:
        return self._numbers[item_key]

    def build_part(self, step_id: str, for_part: str, resume_state: Any) -> FeatureTable:
        return FeatureTable(self._settings, self._spines[for_part])


class FeatureTable(StatefulSinkPartition[PassRows, None]):
    """The feature rows of one spine, and its snapshots."""

    def __init__(self, settings: StreamingSettings, spine: Spine, delta: DeltaTables = DELTA) -> None:
        self._handle, self._snapshots = _open_tables(settings, spine, delta)
        self._log = get_log("materialize").bind(spine=spine.label)
        # Compared with every commit: an erasure after the start of the replay makes the commit fail.
        self._erasures = self._handle.position(ERASURES_APP)

    def write_batch(self, values: list[PassRows]) -> None:
        for value in values:
            if value.cut is not None and value.rows is not None:
                before = {CUT_APP: value.cut.from_us, ERASURES_APP: self._erasures}
                self._erasures = max(0, self._erasures)
                self._handle.commit(value.rows, before, {CUT_APP: value.cut.to_us, ERASURES_APP: self._erasures})
                self._log.debug("committed", rows=value.rows.num_rows, cut_us=value.cut.to_us)
            if value.snapshot is not None:
                self._snapshots.write(value.snapshot, value.snapshot_cut_us)

    def snapshot(self) -> None:
        """Nothing: the cut is in the table."""


def refuse_other_definition(settings: StreamingSettings, spine: Spine) -> None:
    """RefusedError where the tables of the spine hold rows of another definition; creates those that are missing."""
    _open_tables(settings, spine, DELTA)


def _open_tables(settings: StreamingSettings, spine: Spine, delta: DeltaTables) -> tuple[DeltaHandle, Snapshots]:
    path = settings.lake / features_table(spine.group, spine.source)
    meaning = spine.fingerprint, spine.definition
    handle = DeltaHandle(path, feature_schema(spine.group), (), *meaning, delta=delta)
    return handle, Snapshots(settings.lake, spine.group, spine.source, *meaning, delta=delta)
