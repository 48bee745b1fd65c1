"""History: rows from before now, which a topic of live events refuses and which the archive may have closed already."""

from __future__ import annotations

from collections.abc import Iterable

from deltalake.exceptions import DeltaError

from shared_features.kernel.event_time import to_text, to_us
from streaming.errors import RefusedError
from streaming.lake.look import LakeLook
from streaming.operations.produce.feed import Feed
from streaming.operations.saying import say
from streaming.settings import StreamingSettings


def refuse_history(settings: StreamingSettings, feeds: Iterable[Feed], now_us: int) -> None:
    """Raise RefusedError where a row that was read so far is history, and the brokers stamp the records."""
    if settings.topic_mode != "live":
        return
    for feed in feeds:
        begins_us = feed.times.earliest_us
        if begins_us is not None and begins_us < now_us - to_us(settings.allowed_lateness):
            raise RefusedError(
                f"{feed.path.name} is history: its rows begin at {to_text(begins_us)}. In mode live the brokers stamp "
                "each record, so every row would count as known from now on only, and training would see none of it "
                "in time. Bring history first: run the stream job and this command with MILLRACE_TOPIC_MODE=import "
                f"and MILLRACE_IMPORT_UNTIL={to_text(now_us // 1_000_000 * 1_000_000)} on topics whose "
                "message.timestamp.type is CreateTime. If the rows are to count from now on, add --as-live"
            )


def warn_of_late_history(settings: StreamingSettings, feeds: Iterable[Feed]) -> None:
    """Say where history comes behind what the archive has closed: it counts from there on, not from its own times."""
    if settings.topic_mode == "live":
        return
    for feed in feeds:
        try:
            watermark_us = LakeLook(settings.lake).watermark_us(feed.encoder.source)
        except (OSError, DeltaError):
            return
        begins_us = feed.times.earliest_us
        if watermark_us is not None and begins_us is not None and begins_us < watermark_us:
            say(
                f"{feed.encoder.source.name}: the archive is complete up to {to_text(watermark_us)}. New rows from "
                "before count as known from then on only (rows that were sent before are not affected). To bring the "
                "history of several sources, name all files and sources in one command"
            )
