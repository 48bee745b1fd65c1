"""The bytes of a shard meta. Equal metas have equal bytes.

All numbers are little-endian; a text stands after its length:

    commit id          16 bytes, random, before everything else: a commit compares just these
    schema version     u8
    checksum           u32: CRC-32 of all other bytes
    key                u16 length, the key of the meta: a meta under another key is of another shard
    build id           u64; a state of another build counts as missing
    behind             u8: 1 while the shard is rebuilt
    committed at       i64 microseconds
    erasures           u32: how many entities' events had been erased from the tables it was built beside
    fingerprint        u16 length, UTF-8
    topics             u16 how many, each: u16 length, name, u16 length, id
    vector             u32 how many, each: u16 topic, i32 partition, i64 last applied offset, i64 record time (us) up to
                       which the partition is consumed
    gaps               u32 how many, each: u16 topic, i32 partition, i64 first and i64 past offset that were gone
    progress           only while behind: i64 microseconds when the rebuild began, i64 done, i64 total
    built at           i64 microseconds when its build began; left out where that is unknown
"""

import struct
from collections.abc import Iterable
from zlib import crc32

from shared_features.errors import FormatVersionError
from shared_features.formats.shard_meta import COMMIT_ID_BYTES, NOT_BEGUN, Partition, Progress, ShardMeta, VectorEntry

SCHEMA_VERSION = 3
_REBUILD = (
    "Run the stream job of this version (`python -m streaming run`): it rebuilds the shard. "
    "Or serve with the version that wrote it."
)

_FRAME, _HEADER = struct.Struct("<16sBI"), struct.Struct("<QBqI")
_LENGTH, _COUNT, _ENTRY = struct.Struct("<H"), struct.Struct("<I"), struct.Struct("<Hiqq")
_PROGRESS, _BUILT_AT = struct.Struct("<qqq"), struct.Struct("<q")


def encode_meta(meta: ShardMeta) -> bytes:
    """The bytes of a meta; equal metas have equal bytes."""
    if len(meta.commit_id) != COMMIT_ID_BYTES:
        raise ValueError(f"a commit id has {COMMIT_ID_BYTES} bytes; got {len(meta.commit_id)}")
    partitions = [*meta.vector, *(gap[0] for gap in meta.gaps)]
    topics = sorted({(topic, topic_id) for topic, topic_id, _ in partitions})
    number = {topic: index for index, topic in enumerate(topics)}

    def entry(partition: Partition, first: int, second: int) -> bytes:
        return _ENTRY.pack(number[partition[:2]], partition[2], first, second)

    header = _HEADER.pack(meta.build_id, meta.behind, meta.committed_at_us, meta.erasures)
    names = [_text(each) for topic in topics for each in topic]
    vector = [entry(partition, *position) for partition, position in sorted(meta.vector.items())]
    gaps = [entry(*gap) for gap in sorted(set(meta.gaps))]
    progress = _PROGRESS.pack(*meta.progress) if meta.behind else b""
    built_at = _BUILT_AT.pack(meta.built_at_us) if meta.built_at_us else b""
    told = b"".join(
        (
            _bytes(meta.key),
            header,
            _text(meta.fingerprint),
            _LENGTH.pack(len(topics)),
            *names,
            *_counted(vector),
            *_counted(gaps),
            progress,
            built_at,
        )
    )
    return _FRAME.pack(meta.commit_id, SCHEMA_VERSION, crc32(told, crc32(meta.commit_id))) + told


def decode_meta(data: bytes, key: bytes | None = None) -> ShardMeta:
    """The meta of these bytes; `FormatVersionError` for another schema, damaged bytes, or a meta of another key."""
    if len(data) > COMMIT_ID_BYTES and data[COMMIT_ID_BYTES] != SCHEMA_VERSION:
        raise FormatVersionError(
            f"A shard meta cannot be read: it has schema {data[COMMIT_ID_BYTES]}, this reader knows {SCHEMA_VERSION}. "
            f"{_REBUILD}"
        )
    try:
        meta = _decode(data)
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise FormatVersionError(f"A shard meta of {len(data)} bytes is damaged: {error}. {_REBUILD}") from error
    if key is not None and meta.key != key:
        raise FormatVersionError(f"The shard meta under {_shown(key)} is the one of {_shown(meta.key)}. {_REBUILD}")
    return meta


def _decode(data: bytes) -> ShardMeta:
    commit_id, _, checksum = _FRAME.unpack_from(data)
    if crc32(data[_FRAME.size :], crc32(commit_id)) != checksum:
        raise IndexError("its bytes do not fit their checksum")
    key, at = _get_bytes(data, _FRAME.size)
    build_id, behind, committed_at_us, erasures = _HEADER.unpack_from(data, at)
    fingerprint, at = _get_text(data, at + _HEADER.size)
    (count,), at, topics = _LENGTH.unpack_from(data, at), at + _LENGTH.size, []
    for _ in range(count):
        topic, at = _get_text(data, at)
        topic_id, at = _get_text(data, at)
        topics.append((topic, topic_id))
    vector, at = _get_entries(data, at)
    gaps, at = _get_entries(data, at)
    progress = NOT_BEGUN
    if behind:
        progress, at = Progress(*_PROGRESS.unpack_from(data, at)), at + _PROGRESS.size
    built_at_us = 0
    if at + _BUILT_AT.size == len(data):
        (built_at_us,), at = _BUILT_AT.unpack_from(data, at), len(data)
    if at != len(data):
        raise IndexError(f"{len(data) - at} bytes too many")
    return ShardMeta(
        commit_id=commit_id,
        build_id=build_id,
        behind=bool(behind),
        fingerprint=fingerprint,
        committed_at_us=committed_at_us,
        vector={(*topics[topic], partition): VectorEntry(*position) for topic, partition, *position in vector},
        gaps=tuple(((*topics[topic], partition), first, past) for topic, partition, first, past in gaps),
        progress=progress,
        erasures=erasures,
        key=key,
        built_at_us=built_at_us,
    )


def _shown(key: bytes) -> str:
    return key.decode(errors="backslashreplace") or "no key"


def _bytes(told: bytes) -> bytes:
    return _LENGTH.pack(len(told)) + told


def _text(text: str) -> bytes:
    return _bytes(text.encode())


def _get_text(data: bytes, at: int) -> tuple[str, int]:
    found, at = _get_bytes(data, at)
    return found.decode(), at


def _get_bytes(data: bytes, at: int) -> tuple[bytes, int]:
    (length,) = _LENGTH.unpack_from(data, at)
    end = at + _LENGTH.size + length
    if end > len(data):
        raise IndexError("a text ends beyond the last byte")
    return data[at + _LENGTH.size : end], end


def _counted(entries: list[bytes]) -> Iterable[bytes]:
    return _COUNT.pack(len(entries)), *entries


def _get_entries(data: bytes, at: int) -> tuple[list[tuple[int, int, int, int]], int]:
    (count,) = _COUNT.unpack_from(data, at)
    at += _COUNT.size
    end = at + count * _ENTRY.size
    if end > len(data):
        raise IndexError(f"{count} entries end beyond the last byte")
    return list(_ENTRY.iter_unpack(data[at:end])), end
