"""By how much an erasure has raised the counts of erasures of the events tables, so that shards can be told.

A shard whose count is what its tables had before goes to what they have now. One with any other count was built
meanwhile, or Redis was set back: it is left alone, and the judge has it built where it is not as the archive is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from shared_features.definitions import FeatureGroup


@dataclass(frozen=True)
class ErasureCounts:
    """counts: before and after, by source; equal where the table was left as it was."""

    counts: Mapping[str, tuple[int, int]]

    def of(self, group: FeatureGroup) -> tuple[int, int]:
        """The sums over the tables of a group's sources, before and after."""
        before, after = zip(*(self.counts[source.name] for source in group.sources), strict=True)
        return sum(before), sum(after)

    def keep(self, file: Path, digests: Sequence[str]) -> None:
        """For the next run, should this one be killed; `digests`: of those who are erased together."""
        temporary = file.with_suffix(".new")
        temporary.write_text(json.dumps({"digests": sorted(digests), "counts": self.counts}))
        temporary.replace(file)

    @classmethod
    def kept(cls, file: Path, digests: Sequence[str], now: Mapping[str, int]) -> ErasureCounts | None:
        """What a run that was killed has kept; None where others were erased, or counts were raised since."""
        if not file.exists():
            return None
        stored = json.loads(file.read_text())
        counts = {source: (before, after) for source, (before, after) in stored["counts"].items()}
        same = stored["digests"] == sorted(digests) and {name: after for name, (_, after) in counts.items()} == now
        return cls(counts) if same else None
