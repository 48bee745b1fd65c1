"""Few rows and many have the bits of ONNX Runtime, alone or together, whatever the trees are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared_features.errors import ManifestMismatchError
from shared_features.trees import few_rows, tree_ensemble
from shared_features.trees.few_rows_loops import answer_few
from shared_features.trees.tree_loops import add_reached_leaves
from tests.depth import searched
from tests.training.inference.trees.random_ensembles import FEATURES, any_values, ensemble, ensembles
from training.inference.trees.compiled_graph import same_bits
from training.inference.trees.cut_graph import alone
from training.inference.trees.ensemble import read_ensemble


def forest():
    node = ensemble(np.random.default_rng(5), ["BRANCH_LEQ"], 3, 5, 1, "Regressor", 1, n_targets=1)
    return read_ensemble(node).ensemble


@settings(max_examples=searched(quick=25, deep=400))
@given(ensembles(), st.integers(0, 2**32 - 1), st.integers(1, tree_ensemble.FEW))
def test_few_rows_have_the_bits_of_onnx_runtime_alone_and_together(node, seed, count):
    found, rows = read_ensemble(node), any_values(np.random.default_rng(seed), count)
    theirs = alone(found)(rows)
    assert same_bits(found.ensemble.run(rows), theirs)
    assert same_bits(np.concatenate([found.ensemble.run(row[None]) for row in rows]), theirs)


@pytest.mark.parametrize("count", [8, 40])
def test_rows_that_lie_in_any_way_need_no_loops_of_their_own(count):
    """Numba compiles for a second where an array is read-only or lies in another order: a request would wait for it."""
    rows = any_values(np.random.default_rng(0), count)
    loops: list[Any] = [answer_few, add_reached_leaves]
    wanted, known = forest().run(rows), [len(each.signatures) for each in loops]
    fixed = rows.copy()
    fixed.setflags(write=False)
    for each in (np.asfortranarray(rows), np.repeat(rows, 2, axis=0)[::2], fixed):
        assert same_bits(forest().run(each), wanted)
    assert [len(each.signatures) for each in loops] == known


def test_no_row_has_no_answer():
    assert forest().run(np.zeros((0, FEATURES), np.float32)).shape == (0, 1)


def test_trees_that_are_too_large_for_words_are_walked_in_blocks(monkeypatch: pytest.MonkeyPatch):
    rows = any_values(np.random.default_rng(0), 3)
    wanted = forest().run(rows)
    for bits, few in (("CHILD_BITS", 2), ("KEY_BITS", 0)):
        with monkeypatch.context() as patched:
            patched.setattr(few_rows, bits, few)
            found = forest()
            assert found._few is None
            assert same_bits(found.run(rows), wanted)


def test_a_column_that_rows_lack_is_refused_for_few_rows_and_for_many():
    found = replace(forest(), answer="sums")
    for count in (1, 100):
        with pytest.raises(ManifestMismatchError, match=f"read column {found.trees.most}, and are given 1"):
            found.run(np.zeros((count, 1), np.float32))
