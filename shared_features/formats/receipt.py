"""The wall "receipt": which stored state a prediction was made from, so that the prediction can be computed again.

Serving puts a receipt into each answer. Whatever replays events up to those positions reads it: an audit, the demo.

    {"digest": "<sha256 of the text of shards, hexadecimal>",
     "shards": [{"group": "machine_heat:v3", "shard": 1, "commit_id": "...", "gaps_digest": "...", "vector": [...]}]}

The digest is of the text of `shards` as the answer has it: compact JSON with its keys in the order of the structs here.
A receipt carries no schema number: fields are only added, with defaults, at the end.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from shared_features.errors import FormatVersionError
from shared_features.formats.shard_meta import ShardMeta

SCHEMA_VERSION = 1


class AppliedPosition(msgspec.Struct, frozen=True):
    """How far one partition was applied, and the record time up to which it was consumed."""

    topic: Annotated[str, Meta(description="The Kafka topic.")]
    topic_id: Annotated[str, Meta(description="The topic's id: a topic that is re-created has another one.")]
    partition: Annotated[int, Meta(description="The partition of the topic.")]
    offset: Annotated[int, Meta(description="The last offset that was applied; -1: none.")]
    consumed_until_us: Annotated[
        int, Meta(description="Record time up to which the partition was consumed, microseconds since 1970-01-01 UTC.")
    ]


class ShardReceipt(msgspec.Struct, frozen=True):
    """One shard as it was read. Digests are hexadecimal text: a JSON number would lose their last bits."""

    group: Annotated[str, Meta(description="The feature group, with its version.")]
    shard: Annotated[int, Meta(description="The number of the shard.")]
    commit_id: Annotated[str, Meta(description="The id of the commit that was read, hexadecimal.")]
    gaps_digest: Annotated[
        str, Meta(description="Digest of the offsets that were lost before they were applied, hexadecimal.")
    ]
    vector: Annotated[tuple[AppliedPosition, ...], Meta(description="How far each partition was applied.")]


class Receipt(msgspec.Struct, frozen=True):
    """Which stored state the answer was made from, so that the prediction can be recomputed and compared."""

    digest: Annotated[str, Meta(description="sha256 of the text of `shards` as it stands in the answer, hexadecimal.")]
    shards: Annotated[
        tuple[ShardReceipt, ...], Meta(description="The shards that were read, each with how far it had come.")
    ]


class EncodedReceipt(msgspec.Struct, gc=False, frozen=True):
    """A receipt whose shards are JSON already. It is encoded to the same bytes."""

    digest: str
    shards: msgspec.Raw


def encode_shard(group: str, shard: int, meta: ShardMeta) -> bytes:
    """JSON of the ShardReceipt of a shard. group: its label. meta: what the shard held when it was read."""
    vector = tuple(
        AppliedPosition(topic, topic_id, partition, entry.offset, entry.consumed_until_us)
        for (topic, topic_id, partition), entry in sorted(meta.vector.items())
    )
    return msgspec.json.encode(ShardReceipt(group, shard, meta.commit_id.hex(), f"{meta.gaps_digest:016x}", vector))


def encode_receipt(shards: Iterable[bytes]) -> EncodedReceipt:
    """The receipt of these shards, each from `encode_shard`, in their order."""
    return _encoded(tuple(shards))


@lru_cache(maxsize=1024)  # many requests read the same shards before these have applied more
def _encoded(shards: tuple[bytes, ...]) -> EncodedReceipt:
    text = b"[" + b",".join(shards) + b"]"
    return EncodedReceipt(hashlib.sha256(text).hexdigest(), msgspec.Raw(text))


def decode_receipt(content: bytes) -> Receipt:
    """The receipt in this JSON, its text as in the answer. Raises FormatVersionError where the digest does not fit."""
    receipt: Receipt = _decoded(_RECEIPT, content)
    encoded_shards(content)
    return receipt


def encoded_shards(content: bytes | str) -> list[bytes]:
    """JSON of each shard of a receipt. Raises FormatVersionError where the digest does not fit."""
    encoded: EncodedReceipt = _decoded(_ENCODED, content)
    found = hashlib.sha256(encoded.shards).hexdigest()
    if found != encoded.digest:
        raise FormatVersionError(
            f"A receipt was changed after it was issued: its digest is {encoded.digest}, its shards have {found}. "
            "Use the receipt as the answer has it."
        )
    return list(map(bytes, _decoded(_EACH_SHARD, encoded.shards)))


def decode_shard(content: bytes) -> ShardReceipt:
    """The shard in this JSON, one of `encoded_shards`. Raises FormatVersionError."""
    shard: ShardReceipt = _decoded(_SHARD, content)
    return shard


_RECEIPT, _SHARD = msgspec.json.Decoder(Receipt), msgspec.json.Decoder(ShardReceipt)
_ENCODED, _EACH_SHARD = msgspec.json.Decoder(EncodedReceipt), msgspec.json.Decoder(list[msgspec.Raw])


def _decoded(decoder: msgspec.json.Decoder[Any], content: bytes | str | msgspec.Raw) -> Any:
    try:
        return decoder.decode(content)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise FormatVersionError(
            f"A receipt cannot be read: {error}. Pass the value of `receipt` as the answer has it."
        ) from error
