"""What a `produce` found and did, as a document for machines."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from typing import Any, NamedTuple

from streaming.operations.produce.feed import Feed
from streaming.operations.produce.rows.fit import Fit

Told = dict[str, Any]


class Sent(NamedTuple):
    """How many rows of all files were sent, how long that took, and how much of it was waiting for the stream job."""

    rows: int
    seconds: float
    waited_s: float


def told_of(feeds: Sequence[Feed], fits: Sequence[Fit], options: Namespace, sent: Sent | None = None) -> Told:
    """sent: None where nothing was to be sent. Of an instant: microseconds since 1970."""
    return {
        "sent": None if sent is None else sent.rows,
        "seconds": None if sent is None else round(sent.seconds, 3),
        "waited_seconds": None if sent is None else round(sent.waited_s, 3),
        "moved_to_us": getattr(options, "moved_to_us", None),
        "files": [_file(feed, fit) for feed, fit in zip(feeds, fits, strict=True)],
    }


def _file(feed: Feed, fit: Fit) -> Told:
    newest = feed.times.newest
    return {
        "file": str(feed.path),
        "source": feed.encoder.source.name,
        "topic": feed.encoder.source.topic,
        "tried": fit.rows,
        "events": fit.events,
        "repeated": fit.repeated,
        "dead_letters": dict(fit.refused.most_common()),
        "columns": dict(feed.encoder.columns),
        "not_sent": feed.unsent.names,
        "earliest_us": feed.times.earliest_us,
        "newest_us": None if newest is None else newest.time_us,
        "far_ahead": 0 if newest is None else newest.stragglers,
    }
