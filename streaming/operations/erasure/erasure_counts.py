"""The old and new counts of erasures of the events tables, for the shards.

A shard with the old count of its tables gets the new count. A shard with any other count was built meanwhile, or Redis
was rolled back. It is left alone: bootstrap rebuilds it if its count differs from the archive's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from shared_features.definitions import FeatureGroup


@dataclass(frozen=True)
class ErasureCounts:
    """counts: old and new count by source; equal if the table was not changed."""

    counts: Mapping[str, tuple[int, int]]

    def of(self, group: FeatureGroup) -> tuple[int, int]:
        """The sums of the old and of the new counts over the tables of a group's sources."""
        before, after = zip(*(self.counts[source.name] for source in group.sources), strict=True)
        return sum(before), sum(after)

    def keep(self, file: Path, digests: Sequence[str]) -> None:
        """Store the counts for the next run, in case this one is killed. `digests`: of the subjects of this run."""
        temporary = file.with_suffix(".new")
        temporary.write_text(json.dumps({"digests": sorted(digests), "counts": self.counts}))
        temporary.replace(file)

    @classmethod
    def kept(cls, file: Path, digests: Sequence[str], now: Mapping[str, int]) -> ErasureCounts | None:
        """What a killed run has stored; None if it erased other subjects, or counts were raised since."""
        if not file.exists():
            return None
        stored = json.loads(file.read_text())
        counts = {source: (before, after) for source, (before, after) in stored["counts"].items()}
        same = stored["digests"] == sorted(digests) and {name: after for name, (_, after) in counts.items()} == now
        return cls(counts) if same else None
