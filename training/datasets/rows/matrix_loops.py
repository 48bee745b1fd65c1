"""What numba compiles of `matrix_columns`: columns of float64 go into the rows of a float32 matrix."""

import numpy as np

from shared_features.kernel.held_arrays import doubles
from shared_features.kernel.loops.compiled import compiled

_ROWS = 32  # of so many rows all columns are written, while these rows stay in the processor's nearest cache
_NAN = np.float32(np.nan)


@compiled
def place_columns(columns, places, rows, matrix):
    """Write each column to `matrix[rows, place]`, rounded once, and every NaN as the same one.

    columns: the table of `held_arrays`, float64[m] each. places: int64[columns]. rows: int64[m]. matrix: float32[n, k].
    """
    for start in range(0, rows.size, _ROWS):
        stop = min(start + _ROWS, rows.size)
        some = rows[start:stop]
        for number in range(places.size):
            values, place = doubles(columns, number)[start:stop], np.uint64(places[number])
            for at in range(some.size):
                value = np.float32(values[at])
                # 0/0 and inf - inf leave different bits on different machines. Unsigned: no look at its sign.
                matrix[np.uint64(some[at]), place] = value if value == value else _NAN
