"""`python -m streaming retain`."""

from __future__ import annotations

import json
from argparse import Namespace

from shared_features.counted import counted
from shared_features.definitions import load_definitions
from streaming.errors import EXIT_OK, EXIT_REFUSED
from streaming.operations.retention.retain import Plan, before_of, delete_days, kept_sources, plan
from streaming.operations.saying import instant, say
from streaming.settings import StreamingSettings


def run(settings: StreamingSettings, options: Namespace) -> int:
    """The exit code: 1 if a day is still needed. Then nothing is deleted."""
    catalogue = load_definitions(settings.definitions)
    before = options.before or before_of(options.keep)
    sources = kept_sources(settings, catalogue, options.source or ())
    plans = [plan(settings, catalogue, source, before) for source in sources]
    refused = any(each.refused for each in plans)
    if options.json:
        say(json.dumps([_plain(each) for each in plans]))
    else:
        for each in plans:
            _show(each)
    if options.execute and not refused:
        for each in plans:
            if each.rows:
                say(f"{each.source.name}: {counted(delete_days(settings, each.source, before), 'event')} deleted")
    elif not options.json:
        say("nothing is deleted: see above what still needs it" if refused else "nothing is deleted yet; add --execute")
    return EXIT_REFUSED if refused else EXIT_OK


def _show(found: Plan) -> None:
    name, rows = found.source.name, sum(found.rows.values())
    if not found.rows:
        say(f"{name}: no events arrived before {found.before}")
        return
    days = f"{counted(len(found.rows), 'day')} from {min(found.rows)} to {max(found.rows)}"
    say(f"{name}: {counted(rows, 'event')} of {days}, {found.size_bytes / 1e6:,.1f} MB")
    for need in found.refused:
        start = instant(need.from_us) or "the beginning"
        say(f"  needed from {start}: {need.what}")
    if found.refused:
        say(f"  nothing needs the events that arrived before {found.allowed}: use --before {found.allowed}")


def _plain(found: Plan) -> dict[str, object]:
    return {
        "source": found.source.name,
        "before": found.before.isoformat(),
        "events_by_day": found.rows,
        "bytes": found.size_bytes,
        "needed": [{"by": need.what, "from_us": need.from_us} for need in found.refused],
        "nothing_needed_before": found.allowed.isoformat(),
    }
