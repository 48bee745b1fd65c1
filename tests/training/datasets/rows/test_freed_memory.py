from __future__ import annotations

import ctypes

import pytest

from training.datasets.rows import freed_memory


def test_glibc_is_asked_to_give_back_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    class Library:
        malloc_trim = staticmethod(asked.append)

    monkeypatch.setattr(ctypes, "CDLL", lambda name: Library)
    freed_memory.give_back()
    assert asked == [0]


def test_a_system_without_that_call_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    freed_memory.give_back()
