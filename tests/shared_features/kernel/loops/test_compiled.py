"""The cache of compiled loops on disk."""

import os
import pickle
import subprocess
import sys

import numba

SCRIPT = "from shared_features.kernel import hashing; import numpy as np; print(hashing.hash_integers(np.arange(3)))"


def test_a_cache_that_an_earlier_release_left_is_replaced(tmp_path):
    """Its index may name modules that this release lacks: it must not be unpickled."""
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}

    def run() -> str:
        return subprocess.run(
            [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True
        ).stdout

    first = run()
    indexes = list(tmp_path.rglob("*.nbi"))
    assert indexes
    for index in indexes:
        index.write_bytes(pickle.dumps(numba.__version__) + b"cno_such_module\nNothing\n.")
    assert run() == first
