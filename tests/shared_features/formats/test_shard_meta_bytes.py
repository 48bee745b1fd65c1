"""The bytes of a shard's meta: golden, the same for equal metas, and refused where a bit of them is wrong."""

from dataclasses import replace

import pytest

from shared_features.errors import FormatVersionError
from shared_features.formats.shard_meta import COMMIT_ID_BYTES, Progress, ShardMeta, VectorEntry
from shared_features.formats.shard_meta_bytes import decode_meta, encode_meta

META = ShardMeta(
    commit_id=bytes(range(16)),
    build_id=0x0102_0304_0506_0708,
    behind=False,
    fingerprint="abcdef0123456789",
    committed_at_us=1_700_000_000_000_001,
    erasures=3,
    vector={("cards", "id-1", 0): VectorEntry(41, 1_700_000_000_000_999), ("cards", "id-1", 1): VectorEntry(-1, -1)},
    gaps=((("labels", "id-2", 7), 3, 9),),
    key=b"{millrace:cards:v1:3}:meta",
)
GOLDEN = (
    "000102030405060708090a0b0c0d0e0f"  # commit id
    "03" "184a8ba2"  # schema, checksum
    "1a00" "7b6d696c6c726163653a63617264733a76313a337d3a6d657461"  # key
    "0807060504030201" "00" "01401e18240a0600" "03000000"  # build, behind, committed at, erasures
    "1000" "61626364656630313233343536373839"  # fingerprint
    "0200" "05006361726473" "040069642d31" "06006c6162656c73" "040069642d32"  # topics
    "02000000"  # vector
    "0000" "00000000" "2900000000000000" "e7431e18240a0600"
    "0000" "01000000" "ffffffffffffffff" "ffffffffffffffff"
    "01000000"  # gaps
    "0100" "07000000" "0300000000000000" "0900000000000000"
)  # fmt: skip


def test_meta_has_its_golden_bytes() -> None:
    assert encode_meta(META).hex() == GOLDEN


def test_meta_comes_back_as_it_was() -> None:
    assert decode_meta(encode_meta(META)) == META


def test_when_its_build_began_stands_at_the_end_and_bytes_without_it_are_still_read() -> None:
    built = replace(META, built_at_us=1_700_000_000_000_000)
    assert decode_meta(encode_meta(built)) == built
    assert len(encode_meta(built)) == len(encode_meta(META)) + 8
    assert decode_meta(encode_meta(replace(built, behind=True))).built_at_us == built.built_at_us


def test_while_behind_a_meta_says_how_far_the_rebuild_is() -> None:
    behind = replace(META, behind=True, vector={}, gaps=(), progress=Progress(7, 3, 10))
    assert decode_meta(encode_meta(behind)) == behind
    assert encode_meta(replace(META, progress=Progress(7, 3, 10))) == encode_meta(META)


def test_meta_begins_with_the_commit_id_that_a_commit_compares() -> None:
    assert encode_meta(META)[:COMMIT_ID_BYTES] == META.commit_id


def test_the_order_in_which_a_vector_was_built_does_not_show() -> None:
    turned = replace(META, vector=dict(reversed(META.vector.items())))
    assert encode_meta(turned) == encode_meta(META)


def test_another_schema_is_refused_with_what_to_do() -> None:
    data = bytearray(encode_meta(META))
    data[COMMIT_ID_BYTES] = 9
    with pytest.raises(FormatVersionError, match=r"schema 9, this reader knows 3\. Run the stream job"):
        decode_meta(bytes(data))


def test_each_flipped_bit_is_refused() -> None:
    stored = encode_meta(META)
    for bit in range(8 * len(stored)):
        damaged = bytearray(stored)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(FormatVersionError):
            decode_meta(bytes(damaged), META.key)


def test_the_meta_of_another_shard_is_refused_and_named() -> None:
    other = META.key.replace(b":3}", b":2}")
    assert decode_meta(encode_meta(META), META.key) == META
    with pytest.raises(FormatVersionError, match=r"under \{millrace:cards:v1:2\}:meta is the one of .*:3\}:meta\. Run"):
        decode_meta(encode_meta(META), other)


@pytest.mark.parametrize("length", range(len(bytes.fromhex(GOLDEN))))
def test_a_meta_cut_anywhere_is_refused(length: int) -> None:
    with pytest.raises(FormatVersionError):
        decode_meta(encode_meta(META)[:length])
