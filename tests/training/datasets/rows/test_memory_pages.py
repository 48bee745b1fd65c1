from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from training.datasets.rows.memory_pages import small_pages

pytestmark = pytest.mark.skipif(
    not Path("/sys/kernel/mm/transparent_hugepage/enabled").exists(), reason="this system has no large pages"
)
_SIZE = 64 << 20
ROOT = Path(__file__).parents[4]


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


def told(*lines: str) -> list[bool]:
    """What a process of its own answers: elsewhere an array may lie where an earlier one has asked."""
    script = "\n".join((f"from {__name__} import *", "found = []", *lines, "print(found)"))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    answers: list[bool] = ast.literal_eval(done.stdout)
    return answers


def test_numpy_asks_for_large_pages_before_and_after_but_not_within() -> None:
    before, within, after = told(
        "found.append(asks_for_large_pages())",
        "with small_pages():",
        "    found.append(asks_for_large_pages())",
        "found.append(asks_for_large_pages())",
    )
    assert not within
    assert after == before


def test_an_error_within_changes_nothing_for_what_follows() -> None:
    before, after = told(
        "found.append(asks_for_large_pages())",
        "try: fail()",
        "except KeyError: found.append(asks_for_large_pages())",
    )
    assert after == before


@small_pages()
def fail() -> None:
    raise KeyError
