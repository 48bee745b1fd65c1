"""Whether the stream is at rest: nobody sends history, the sinks have what was sent, and its feature rows are there."""

from __future__ import annotations

from collections.abc import Callable

from deploy.local.parts.unread_records import Unread, UnreadRecords
from shared_features.counted import counted
from shared_features.definitions import Catalogue, EventSource, FeatureGroup
from streaming.lake.look import LakeLook
from streaming.operations.produce.presence import is_present
from streaming.settings import StreamingSettings

_FEW = 0.02
"""Of what was ever sent. Live events are always on their way."""
_BEHIND_US = 120_000_000
"""So far may feature rows be behind the archive: with live events a pass is always under way."""


class StreamRest:
    """Called: why the stream is not at rest, as words for a person. None: it is."""

    def __init__(
        self, settings: StreamingSettings, catalogue: Catalogue, unread: Callable[[], Unread | None] | None = None
    ) -> None:
        self._settings, self._catalogue = settings, catalogue
        self._unread = UnreadRecords(settings) if unread is None else unread

    def __call__(self) -> str | None:
        if is_present(self._settings.lake):
            return "`produce` is still sending"
        unread = self._unread()
        if unread is None:
            return "Kafka gives no answer"
        if unread.left > _FEW * unread.sent:
            return f"{counted(unread.left, 'record')} {'is' if unread.left == 1 else 'are'} not stored yet"
        return self._rows_behind()

    def _rows_behind(self) -> str | None:
        look = LakeLook(self._settings.lake, keep=True)
        for group, spine in self._catalogue.spines:
            until_us = _archived_until_us(look, group, spine)
            if (look.cut_us(group, spine) or 0) < until_us - _BEHIND_US:
                return f"feature rows of {group.label} on {spine.name} are behind the archive"
        return None


def _archived_until_us(look: LakeLook, group: FeatureGroup, spine: EventSource) -> int:
    """Up to which instant the archive has all that the feature rows are made of."""
    return min(look.watermark_us(source) or 0 for source in {*group.sources, spine})
