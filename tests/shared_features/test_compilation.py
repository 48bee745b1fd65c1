"""One process compiles and says how far it is; whoever comes second waits and says so."""

import fcntl
import os
import threading
import time

import numba
import pytest

from shared_features import compilation
from shared_features.compilation import compiled_once, lock_file, loops


@pytest.fixture(autouse=True)
def own_lock(tmp_path, monkeypatch):
    """No other process compiles under this lock."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(compilation, "_EVERY_S", 0.05)
    monkeypatch.setattr(compilation, "_LOOK_EVERY_S", 0.01)


def compile_something():
    numba.njit(lambda x: x + 1)(1)


def test_who_comes_second_waits_and_says_for_whom_and_how_long():
    """`check` beside an `up` compiled all of it again, in twice the time and without a word."""
    said: list[str] = []
    held = lock_file().open("a+")
    fcntl.flock(held, fcntl.LOCK_EX)
    held.write(f"4711 {time.time() - 40:.0f}\n")
    held.flush()
    entered = threading.Event()

    def second():
        with compiled_once(said.append):
            entered.set()

    thread = threading.Thread(target=second)
    thread.start()
    while not said:
        time.sleep(0.01)
    assert not entered.is_set()
    held.close()
    thread.join(60)
    assert entered.is_set()
    assert said[0].startswith("another process compiles the kernel (pid 4711, 4")
    assert said[0].endswith(" s so far); waiting")


def test_who_compiles_says_that_it_does_how_far_it_is_and_when_it_is_done():
    said: list[str] = []
    with compiled_once(said.append):
        assert lock_file().read_text().startswith(f"{os.getpid()} ")
        compile_something()
        while len(said) < 2:
            time.sleep(0.01)
    assert said[0] == "compiling the kernel, once: about 2 minutes on two free cores"
    assert f" of up to {len(loops())} functions, " in said[1]
    assert said[-1].startswith("compiled the kernel: ")
    assert lock_file().read_text() == ""


def test_nothing_is_said_where_everything_is_there():
    said: list[str] = []
    with compiled_once(said.append):
        time.sleep(0.2)
    assert said == []


def test_a_failure_leaves_the_lock_free():
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), compiled_once(print):
            raise ZeroDivisionError


def test_the_functions_that_are_kept_are_counted_and_parts_of_them_are_not():
    names = {each.py_func.__name__ for each in loops()}
    assert {"put_in_tiles", "encode_from", "decode_into", "checksums_into", "combine_into"} <= names
    assert "quotient" not in names
