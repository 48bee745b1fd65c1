"""What arrived, counted in the lake: events, duplicates, late ones, dead letters with their reasons, feature rows."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl
from deltalake import DeltaTable

from shared_features.definitions import Catalogue, EventSource
from shared_features.formats.offline_tables import (
    CUT_APP,
    DEAD_LETTERS_TABLE,
    RECORD_TIME,
    WATERMARK_APP,
    events_table,
    features_table,
)

_WHERE = re.compile(r" \(topic [^)]*\)$")
_DETAIL = re.compile(r"-?\d[\d.,:+TZ-]*(e[+-]?\d+)?")


@dataclass(frozen=True)
class SourceFacts:
    """Of one event source. duplicates: rows that repeat an earlier one; late: of the others."""

    stored: int
    duplicates: int
    late: int

    @property
    def events(self) -> int:
        """Each event once."""
        return self.stored - self.duplicates


def source_facts(lake: Path, source: EventSource, lateness_us: int) -> SourceFacts:
    """Counts of an events table; late: came more than `lateness_us` after its event time."""
    rows = _scan(lake, events_table(source))
    names = [field.name for field in source.fields]
    # An event's first delivery is the one that counts.
    first = rows.group_by(names).agg(pl.col(RECORD_TIME).min(), pl.len().alias("deliveries"))
    is_late = pl.col(RECORD_TIME) - pl.col(source.event_time) > lateness_us
    found = first.select(pl.col("deliveries").sum(), pl.len().alias("events"), is_late.sum().alias("late"))
    stored, events, late = found.collect().row(0)
    return SourceFacts(stored or 0, (stored or 0) - events, late or 0)


def dead_letters(lake: Path) -> dict[str, dict[str, Any]]:
    """Per kind of reason: how many, and one of them in full."""
    reasons = _scan(lake, DEAD_LETTERS_TABLE).select("reason").collect()["reason"].to_list()
    kinds = Counter(map(_kind, reasons))
    examples = {_kind(reason): reason for reason in reversed(reasons)}
    return {kind: {"count": count, "example": examples[kind]} for kind, count in kinds.most_common()}


def feature_rows(lake: Path, catalogue: Catalogue) -> dict[str, dict[str, int]]:
    """Per table of feature rows: rows, late ones, copies."""
    found = {}
    for group, spine in catalogue.spines:
        name = features_table(group, spine)
        counted = _scan(lake, name).select(pl.len().alias("rows"), pl.col("late").sum(), pl.col("copy").sum())
        found[name] = {key: int(value or 0) for key, value in counted.collect().row(0, named=True).items()}
    return found


def watermark_us(lake: Path, catalogue: Catalogue) -> int | None:
    """The arrival watermark that every events table has reached; None while a table has none."""
    return _smallest([lake / events_table(source) for source in catalogue.sources], WATERMARK_APP)


def cut_us(lake: Path, catalogue: Catalogue) -> int | None:
    """The watermark up to which all feature rows are complete; None while a table has none."""
    return _smallest([lake / features_table(*spine) for spine in catalogue.spines], CUT_APP)


def as_json(facts: SourceFacts) -> dict[str, int]:
    return {**asdict(facts), "events": facts.events}


def _smallest(paths: list[Path], application: str) -> int | None:
    versions = []
    for path in paths:
        if not DeltaTable.is_deltatable(str(path)):
            return None
        versions.append(DeltaTable(str(path)).transaction_version(application))
    known = [each for each in versions if each is not None]
    return min(known) if len(known) == len(versions) else None


def _scan(lake: Path, name: str) -> pl.LazyFrame:
    return pl.scan_delta(str(lake / name))


def _kind(reason: str) -> str:
    """The reason without its position and its numbers."""
    return _DETAIL.sub("N", _WHERE.sub("", reason))
