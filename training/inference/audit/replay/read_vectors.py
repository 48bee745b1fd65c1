"""The shards that receipts name, each spelling of one once: the receipts of a busy hour share most of them."""

from __future__ import annotations

import numpy as np

from shared_features.formats.receipt import ShardReceipt, decode_shard, encoded_shards
from training.inference.audit.replay.shard_lives import Int64, Vector


class ReadVectors:
    """Numbers them from 0, over all receipts that it is given, and the receipts in their order."""

    def __init__(self) -> None:
        self._numbers: dict[bytes, int] = {}
        self._groups: dict[str, int] = {}
        self._of_shard: list[tuple[int, int]] = []
        self._shards: list[ShardReceipt] = []
        self._receipts: list[list[int]] = []
        self.vectors: list[tuple[int, Vector]] = []
        """Shard and positions of each."""

    def __len__(self) -> int:
        """How many receipts."""
        return len(self._receipts)

    def receipt(self, number: int) -> ShardReceipt | None:
        """All that is said of a shard; None for -1."""
        return None if number < 0 else self._shards[number]

    def add(self, receipt: str) -> None:
        """Raises FormatVersionError where the receipt was altered."""
        own = self._numbers
        self._receipts.append(
            [own[each] if each in own else self._add(each, decode_shard(each)) for each in encoded_shards(receipt)]
        )

    def merge(self, other: ReadVectors) -> None:
        """Add the receipts of another."""
        own = self._numbers
        given = zip(other._numbers, other._shards, strict=True)
        numbers = [own[encoded] if encoded in own else self._add(encoded, shard) for encoded, shard in given]
        self._receipts.extend([numbers[each] for each in receipt] for receipt in other._receipts)

    def chosen(self, group: str, receipt: Int64, shard: Int64) -> Int64:
        """Per row the number of its shard; -1 where its receipt names none. group: its label. receipt: of each row."""
        if group not in self._groups or not len(receipt):
            return np.full(len(receipt), -1)
        named = np.array([number for each in self._receipts for number in each], np.int64)
        of_receipt = np.repeat(np.arange(len(self)), list(map(len, self._receipts)))
        groups, shards = np.array(self._of_shard, np.int64)[named].T
        own = groups == self._groups[group]
        wide = int(max(shards.max(initial=0), shard.max(initial=0))) + 1
        codes = of_receipt[own] * wide + shards[own]
        order = np.argsort(codes, kind="stable")
        codes, named = codes[order], named[own][order]
        at = np.searchsorted(codes, receipt * wide + shard, side="right") - 1
        there = (at >= 0) & (codes[at] == receipt * wide + shard) if len(codes) else np.zeros(len(at), np.bool_)
        return np.where(there, named[at] if len(named) else -1, -1)

    def _add(self, encoded: bytes, shard: ShardReceipt) -> int:
        vector = {(at.topic, at.topic_id, at.partition): at.offset for at in shard.vector}
        number = self._numbers[encoded] = len(self.vectors)
        self._of_shard.append((self._groups.setdefault(shard.group, len(self._groups)), shard.shard))
        self._shards.append(shard)
        self.vectors.append((shard.shard, vector))
        return number
