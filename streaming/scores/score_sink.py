"""The Bytewax sink: each view is a part and owns its position, which stands in its scores. Bytewax recovers nothing."""

from __future__ import annotations

from collections.abc import Mapping

from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition

from streaming.kafka.records.polled import Polled
from streaming.scores.view_scores import ViewScores


class ScoreSink(FixedPartitionedSink[Polled, None]):
    """views: by name. An item's key is the name of its view."""

    def __init__(self, views: Mapping[str, ViewScores]) -> None:
        self._views, self._names = views, sorted(views)

    def list_parts(self) -> list[str]:
        """All views."""
        return self._names

    def part_fn(self, item_key: str) -> int:
        """The place of the view."""
        return self._names.index(item_key)

    def build_part(self, step_id: str, for_part: str, resume_state: None) -> ViewPart:
        """The writer of one view's scores."""
        return ViewPart(self._views[for_part])


class ViewPart(StatefulSinkPartition[Polled, None]):
    """A view as a part of the sink."""

    def __init__(self, view: ViewScores) -> None:
        self._view, self._failed = view, False

    def write_batch(self, values: list[Polled]) -> None:
        """Score everything that waits, in as few transactions as it takes."""
        try:
            self._view.take(values)
        except BaseException:
            self._failed = True  # a second error while Bytewax closes the parts would abort the process
            raise

    def snapshot(self) -> None:
        """Nothing: the position stands in the scores."""

    def close(self) -> None:
        """The input has ended."""
        if not self._failed:
            self._view.close()
