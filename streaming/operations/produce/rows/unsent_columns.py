"""The columns of a file that are not sent: those that no source of the command takes, and which source would."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shared_features.definitions import EventSource
from streaming.kafka.decoders.field_spelling import spelling
from streaming.operations.produce.rows.row_encoder import RowEncoder


@dataclass(frozen=True)
class UnsentColumns:
    """Of the file that `encoder` encodes. beside: the encoders of the same file. others: sources that it does not feed.

    Not among them: a label that the file sends as an event of its own, and the time at which a row became known.
    """

    encoder: RowEncoder
    beside: Sequence[RowEncoder] = ()
    others: Sequence[EventSource] = ()

    @property
    def names(self) -> list[str]:
        """Those of the first rows."""
        return [name for name in self.encoder.ignored if not self._goes_elsewhere(name)]

    def lines(self) -> Iterator[str]:
        """What a person must know before the sending: columns of the first rows."""
        left = self.names
        for source in self.others:
            if taken := self._would_take(source, left):
                left = [name for name in left if name not in taken]
                yield f"columns that source {source.name} would take (add --source {source.name}): {', '.join(taken)}"
        if left:
            rejects = self.encoder.source.unknown_fields == "reject"
            said = "not sent (the source rejects unknown fields)" if rejects else "not sent"
            yield f"columns that no field takes, {said}: {', '.join(left)}"

    def late_lines(self) -> Iterator[str]:
        """What a person must know after the sending: columns that the first rows lacked."""
        if late := [name for name in self.encoder.late if not self._goes_elsewhere(name)]:
            yield f"columns that appeared after the first rows and that no field takes, not sent: {', '.join(late)}"

    def _goes_elsewhere(self, name: str) -> bool:
        return any(name in each.columns.values() or name == each.reading.arrival for each in self.beside)

    def _would_take(self, source: EventSource, left: Sequence[str]) -> list[str]:
        """Those of the columns that are fields of a source, if the file has every field that the source requires."""
        there = {spelling(name) for name in self.encoder.seen}
        if not all(field.optional or spelling(field.name) in there for field in source.fields):
            return []
        names = {spelling(field.name) for field in source.fields}
        return [name for name in left if spelling(name) in names]
