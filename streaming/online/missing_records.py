"""Records that retention deleted before a shard applied them: may the shard continue without them?

Only the archive decides that records are gone for good, by recording the gap. Then no store has the records, and a
state without them is right. If the archive has the records, the shard's state would differ from the stored events.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from shared_features.definitions import EventSource
from shared_features.formats.shard_meta import Partition, merged
from streaming.errors import RestartNeeded
from streaming.job.backoff import Backoff, Tries
from streaming.job.outage import Outage
from streaming.job.stopping import wait
from streaming.log import get_log

_LOG = get_log("online")
_BACKOFF = Backoff(first_s=1.0, longest_s=1.0)


class MissingRecords:
    """Asks the archive's tables. Waits until the archive itself has reached the gap."""

    def __init__(self, lake: Path, sources: tuple[EventSource, ...], sleep: Callable[[float], bool] = wait) -> None:
        self._lake = lake
        self._sources: Mapping[str, EventSource] = {source.topic: source for source in sources}
        self._sleep = sleep

    def __call__(self, of: Partition, first: int, past: int) -> None:
        """Return when the archive has recorded the offsets `first` to `past` - 1 as a gap; else raise RestartNeeded."""
        topic, _, partition = of
        outage = Outage(
            _LOG, "waiting for the archive: records were deleted before they were applied",
            "the archive has come past the deleted records", topic=topic, partition=partition, first=first, past=past,
        )  # fmt: skip
        tries = Tries(_BACKOFF, "asked to stop while waiting for the archive", self._sleep)
        while True:
            held, gaps = self._archived(of)
            if held >= past - 1:
                break
            outage.failed()
            tries.wait()
        outage.answered()
        if not covered(first, past, gaps):
            raise RestartNeeded(
                f"topic {topic}, partition {partition}: offsets {first} to {past - 1} were deleted before they were "
                "applied to the online store, but the archive holds some of them; bootstrap rebuilds the shard from it"
            )

    def _archived(self, of: Partition) -> tuple[int, list[tuple[int, int]]]:
        """The last offset that the archive has passed (-1: none), and its gaps in the partition."""
        # Imported here: online does not need the lake until records are missing.
        from streaming.lake.events_reader import EventsReader
        from streaming.lake.log_positions import LogPositions

        table = EventsReader(self._lake, self._sources[of[0]])
        table.refresh()
        stored = LogPositions.load(table, {of[:2]: of[2] + 1})
        return stored.offsets.get(of, -1), list(stored.gaps.get(of, ()))


def covered(first: int, past: int, gaps: list[tuple[int, int]]) -> bool:
    """Whether the gaps (first, past) together cover all offsets from `first` up to `past`, exclusive."""
    return any(start <= first and past <= end for start, end in merged(gaps))
