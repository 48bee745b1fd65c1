"""Columns of float64 in the rows of a float32 matrix: each rounded once, and one NaN."""

from __future__ import annotations

import numpy as np

from shared_features.kernel.held_arrays import held_arrays
from training.datasets.rows.matrix_loops import place_columns


def test_columns_are_rounded_into_their_rows_and_places_and_no_other() -> None:
    values = np.random.default_rng(1).normal(size=(2, 700)) * 1e30
    values[0, :3] = np.inf, 1e300, 1e-300
    rows = np.random.default_rng(2).permutation(1_000)[:700]
    matrix = np.full((1_000, 4), 7.0, np.float32)
    wanted = matrix.copy()
    with np.errstate(over="ignore"):
        wanted[rows, 3], wanted[rows, 1] = values
    place_columns(held_arrays(tuple(values)), np.array([3, 1]), rows, matrix)
    np.testing.assert_array_equal(matrix.view(np.uint32), wanted.view(np.uint32))


def test_every_nan_has_the_same_bits() -> None:
    bits = np.array([0x7FF8_0000_0000_0000, 0xFFF8_0000_0000_0000, 0x7FFF_FFFF_0000_0001], np.uint64)
    matrix = np.zeros((3, 1), np.float32)
    place_columns(held_arrays((bits.view(np.float64),)), np.array([0]), np.arange(3), matrix)
    assert matrix.view(np.uint32).ravel().tolist() == [np.float32(np.nan).view(np.uint32)] * 3
