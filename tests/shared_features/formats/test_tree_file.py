"""The file of a model's trees says what it said, in the bytes that it had, and nothing that could not be walked."""

from __future__ import annotations

import hashlib

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared_features.errors import FormatVersionError
from shared_features.formats.tree_file import decode_trees, encode_trees
from shared_features.trees.flat_trees import FlatTrees
from shared_features.trees.model_trees import ModelTrees
from shared_features.trees.same_bits import same_bits
from shared_features.trees.tree_ensemble import TreeEnsemble
from tests.depth import searched
from tests.training.inference.trees.random_ensembles import any_values, ensembles
from training.inference.trees.ensemble import read_ensemble

ABOVE = 2**31 - 1


def two_trees() -> ModelTrees:
    """A split at feature 3 with two leaves, and a tree that is a leaf."""
    trees = FlatTrees(
        columns=np.array([3]),
        missing=np.array([ABOVE], np.int32),
        rows=np.array([0, 0, 0, 0]),
        thresholds=np.array([7, ABOVE, ABOVE, ABOVE], np.int32),
        children=np.array([2, 1, 2, 3], np.uint32),
        roots=np.array([0, 1], np.uint32),
        bounds=np.array([0, 0, 1, 2, 3]),
        targets=np.array([0, 0, 0]),
        weights=np.array([0.5, 1, 2], np.float32),
        sure=np.array([True]),
    )
    return ModelTrees(TreeEnsemble(trees, np.array([0.25], np.float32), np.float32(1), "two_sides"), 1)


def changed(**given: object) -> bytes:
    """The file with other values of some keys; arrays as they are stored."""
    plain = msgspec.msgpack.decode(encode_trees(two_trees()))
    more = {name: np.array(each).tobytes() if isinstance(each, np.ndarray) else each for name, each in given.items()}
    return msgspec.msgpack.encode({**plain, **more})


def test_the_bytes_stay_as_they_are():
    """Versions that were published are read by every later release."""
    content = encode_trees(two_trees())
    assert len(content) == 265
    assert hashlib.sha256(content).hexdigest() == "bc0d702fa8db3dbeabe6cd150a375ac8524ab6f7c66b66c094d451910085cd0d"
    assert encode_trees(decode_trees(content)) == content


@settings(max_examples=searched(quick=20, deep=300))
@given(ensembles(), st.integers(0, 2**32 - 1), st.sampled_from([1, 7, 40]))
def test_what_is_read_answers_as_what_was_written(node, seed, count):
    written = ModelTrees(read_ensemble(node).ensemble, None)
    found, rows = decode_trees(encode_trees(written)), any_values(np.random.default_rng(seed), count)
    assert same_bits(found.run(rows), written.run(rows))
    assert encode_trees(found) == encode_trees(written)


def test_keys_of_a_later_release_are_left_out():
    assert encode_trees(decode_trees(changed(later=1))) == encode_trees(two_trees())


def test_another_schema_is_named():
    with pytest.raises(FormatVersionError, match=r"1/trees.msgpack was written by schema 2, this reader knows 1\. Pub"):
        decode_trees(changed(schema_version=2), "1/trees.msgpack")


def i4(*values: int) -> np.ndarray:
    return np.array(values, np.int32)


def of_places(trees: int, children: tuple[int, ...], splits: int, unreached: int | None = None) -> bytes:
    """A file of these places: the first ones are splits, and one that nothing leads to."""
    leaf = np.arange(len(children)) >= splits
    if unreached is not None:
        leaf[unreached] = False
    bounds = np.append(0, np.cumsum(leaf))
    return changed(
        trees=trees,
        children=i4(*children),
        rows=i4(*[0] * len(leaf)),
        thresholds=i4(*np.where(leaf, ABOVE, 0)),
        bounds=i4(*bounds),
        targets=i4(*[0] * bounds[-1]),
        weights=np.zeros(bounds[-1], np.float32),
    )


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is damaged: "),
        (encode_trees(two_trees())[:-1], "is damaged: "),
        (b"\x81\xa5later" + b"\x91" * 100_000, "is damaged: "),
        (b"\x80", "missing required field `schema_version`"),
        (changed(base="text"), r"Expected `bytes`, got `str` - at `\$.base`"),
        (changed(weights=b"12345"), "is damaged: buffer size"),
        (changed(rows=i4(0)), "its arrays do not have one size"),
        (changed(missing=i4(0, 0)), "its arrays do not have one size"),
        (changed(trees=0), "it has no tree"),
        (changed(trees=5), "it has no tree"),
        (changed(answer="probit"), "it answers 'probit' of 1 sums"),
        (changed(column=2), "it answers 'two_sides' of 1 sums"),
        (changed(column=-1), "it answers 'two_sides' of 1 sums"),
        (changed(answer="sums"), "it answers 'sums' of 1 sums"),
        (changed(columns=i4(-1)), "reads a column that it does not have"),
        (changed(rows=i4(1, 0, 0, 0)), "reads a column that it does not have"),
        (changed(children=i4(3, 1, 2, 3)), "a child that is missing, or above it"),
        (changed(children=i4(0, 1, 2, 3)), "a child that is missing, or above it"),
        (changed(children=i4(2, 2, 2, 3)), "a child that is missing, or above it"),
        (of_places(2, children=(1, 3, 2, 3, 4), splits=2), "above it"),  # the root of another tree
        (of_places(1, children=(1, 3, 4, 3, 4, 5), splits=3), "above it"),  # pairs that share a place
        (of_places(1, children=(1, 1, 2, 3, 4), splits=1, unreached=3), "above it"),
        (changed(bounds=i4(0, 0, 1, 2, 4)), "a leaf of its trees has no weight"),
        (changed(bounds=i4(0, 0, 0, 2, 3)), "a leaf of its trees has no weight"),
        (changed(bounds=i4(0, 0, 2, 1, 3)), "a leaf of its trees has no weight"),
        (changed(targets=i4(0, 1, 0)), "has no target of its own"),
        (changed(bounds=i4(0, 0, 1, 2, 4), targets=i4(0, 0, 0, 0), weights=i4(0, 0, 0, 0)), "no target of its own"),
    ],
)
def test_what_cannot_be_walked_is_refused_before_it_is(content, why):
    """The loops look at no bounds: a wrong place would read any memory, or never end."""
    with pytest.raises(FormatVersionError, match=why):
        decode_trees(content)
