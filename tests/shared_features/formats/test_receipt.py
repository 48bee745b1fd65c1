from __future__ import annotations

import hashlib
import json

import msgspec
import pytest

from shared_features.errors import FormatVersionError
from shared_features.formats.receipt import (
    AppliedPosition,
    Receipt,
    ShardReceipt,
    decode_receipt,
    encode_receipt,
    encode_shard,
)
from shared_features.formats.shard_meta import ShardMeta, VectorEntry

META = ShardMeta(
    commit_id=bytes(range(16)),
    build_id=3,
    behind=False,
    fingerprint="f",
    committed_at_us=1_700_000_000_500_000,
    gaps=((("readings", "id", 0), 3, 5),),
    vector={("readings", "id", 1): VectorEntry(41, 1_700_000_000_000_000), ("readings", "id", 0): VectorEntry(-1, 0)},
)

SHARDS = (
    '[{"group":"machine_heat:v3","shard":1,"commit_id":"000102030405060708090a0b0c0d0e0f",'
    '"gaps_digest":"d95c8f3494640379","vector":[{"topic":"readings","topic_id":"id","partition":0,"offset":-1,'
    '"consumed_until_us":0},{"topic":"readings","topic_id":"id","partition":1,"offset":41,'
    '"consumed_until_us":1700000000000000}]}]'
)
GOLDEN = f'{{"digest":"{hashlib.sha256(SHARDS.encode()).hexdigest()}","shards":{SHARDS}}}'
RECEIPT = Receipt(
    hashlib.sha256(SHARDS.encode()).hexdigest(),
    (
        ShardReceipt(
            "machine_heat:v3",
            1,
            "000102030405060708090a0b0c0d0e0f",
            "d95c8f3494640379",
            (
                AppliedPosition("readings", "id", 0, -1, 0),
                AppliedPosition("readings", "id", 1, 41, 1_700_000_000_000_000),
            ),
        ),
    ),
)


def encoded(*shards: bytes) -> bytes:
    return msgspec.json.encode(encode_receipt(shards))


def test_golden_bytes() -> None:
    assert encoded(encode_shard("machine_heat:v3", 1, META)).decode() == GOLDEN
    assert encoded().decode() == f'{{"digest":"{hashlib.sha256(b"[]").hexdigest()}","shards":[]}}'


def test_a_receipt_reads_back_also_from_an_answer_that_was_parsed() -> None:
    assert decode_receipt(GOLDEN.encode()) == RECEIPT
    parsed = msgspec.json.encode(json.loads(GOLDEN))
    assert decode_receipt(parsed) == RECEIPT


def test_a_receipt_with_an_added_key_is_read() -> None:
    shards = SHARDS.replace('"shard":1', '"shard":1,"later":2')
    digest = hashlib.sha256(shards.encode()).hexdigest()
    assert decode_receipt(f'{{"digest":"{digest}","shards":{shards}}}'.encode()).shards[0].shard == 1


def test_a_receipt_that_was_changed_is_refused() -> None:
    with pytest.raises(FormatVersionError, match=r"changed after it was issued: .* Use the receipt as the answer has"):
        decode_receipt(GOLDEN.replace('"offset":41', '"offset":42').encode())


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b'{"digest":"a","shards":[{"group":1}]}', b'{"later":' + b"[" * 100_000],
    ids=["nothing", "empty", "a list", "a number", "deep"],
)
def test_damaged_bytes_are_refused(content: bytes) -> None:
    with pytest.raises(FormatVersionError, match="A receipt cannot be read"):
        decode_receipt(content)
