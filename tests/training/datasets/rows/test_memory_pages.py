from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from training.datasets.rows.memory_pages import small_pages

pytestmark = pytest.mark.skipif(
    not Path("/sys/kernel/mm/transparent_hugepage/enabled").exists(), reason="this system has no large pages"
)
_SIZE = 64 << 20


def asks_for_large_pages() -> bool:
    """Whether the system was asked for them for a new array: `hg` of the region that its middle lies in."""
    array = np.empty(_SIZE, np.uint8)
    inside, found = array.ctypes.data + _SIZE // 2, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        first = line.split()[0]
        if not first.endswith(":"):
            start, end = (int(each, 16) for each in first.split("-"))
            found = start <= inside < end
        elif found and first == "VmFlags:":
            return "hg" in line.split()
    raise AssertionError("the array lies nowhere")


def test_numpy_asks_for_large_pages_before_and_after_but_not_within() -> None:
    before = asks_for_large_pages()
    with small_pages():
        assert not asks_for_large_pages()
    assert asks_for_large_pages() == before


def test_an_error_within_changes_nothing_for_what_follows() -> None:
    before = asks_for_large_pages()
    with pytest.raises(KeyError):
        _fail()
    assert asks_for_large_pages() == before


@small_pages()
def _fail() -> None:
    raise KeyError
