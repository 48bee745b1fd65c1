"""Reading the lake while it may be away: said once when it goes, and once when it is back."""

from __future__ import annotations

from streaming.log import get_log

_LOG = get_log("materialize")


class LakeReading:
    """What one reader of a spine, by its label, says of the lake."""

    def __init__(self) -> None:
        self._away = False

    def failed(self, spine: str, reason: str) -> None:
        """Call when the lake could not be read."""
        if not self._away:
            _LOG.warning("the lake cannot be read; waiting for it", spine=spine, reason=reason)
        self._away = True

    def succeeded(self, spine: str) -> None:
        """Call when it could."""
        if self._away:
            _LOG.info("the lake is back", spine=spine)
        self._away = False
