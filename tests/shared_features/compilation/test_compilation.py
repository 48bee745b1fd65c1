"""One process compiles and says how far it is; whoever comes second waits and says so."""

import fcntl
import importlib.util
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import numba
import pytest
from numba.core.errors import TypingError

from shared_features.compilation import compilation, compile_turn
from shared_features.compilation.compilation import compile_in_turn, compiled_once, loops
from shared_features.compilation.compile_turn import lock_file
from tests.streaming.processes import ROOT


@pytest.fixture(autouse=True)
def own_lock(tmp_path, monkeypatch):
    """No other process compiles under this lock."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(compilation, "_EVERY_S", 0.05)
    monkeypatch.setattr(compile_turn, "_EVERY_S", 0.05)
    monkeypatch.setattr(compile_turn, "_LOOK_EVERY_S", 0.01)


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
    told = re.fullmatch(r"another process compiles the kernel \(pid 4711, (\d+) s so far\); waiting", said[0])
    assert told is not None, said
    assert int(told[1]) >= 40


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


TRIAL = "shared_features.trial"


def load_trial(file):
    """The same in every process, because numba stores by the name of a module."""
    spec = importlib.util.spec_from_file_location(TRIAL, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[TRIAL] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def trial(tmp_path, monkeypatch):
    """A module of functions that are kept on the disk, as those of the kernel are."""
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    file = tmp_path / "trial.py"
    file.write_text(
        "from numba import njit\n\n@njit(cache=True)\ndef twice(x):\n    return 2 * x\n\n"
        "@njit(cache=True)\ndef thrice(x):\n    return twice(x) + x\n\n"
        "@njit(cache=True)\ndef wrong(x):\n    return x.no_such_attribute\n"
    )
    monkeypatch.setitem(sys.modules, TRIAL, None)  # and none of it afterwards
    return load_trial(file)


def hold():
    held = lock_file().open("a+")
    fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return held


def test_a_function_that_another_process_compiles_is_waited_for_and_loaded(trial):
    """A stream job of four processes that was started by hand compiled the kernel four times."""
    said: list[str] = []
    results: list[int] = []
    compile_in_turn(said.append)
    held = hold()
    thread = threading.Thread(target=lambda: results.append(trial.thrice(7)))
    thread.start()
    while not said:
        time.sleep(0.01)
    code = f"from {__name__} import load_trial; print(load_trial({trial.__file__!r}).thrice(7))"
    cache = Path(trial.thrice.stats.cache_path)  # of this process, which may have read NUMBA_CACHE_DIR before
    other = {**os.environ, **({} if cache.name == "__pycache__" else {"NUMBA_CACHE_DIR": str(cache.parent)})}
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, env=other, cwd=ROOT)
    held.close()
    thread.join(60)
    assert results == [21]
    assert said[0] == "another process compiles the kernel; waiting"
    assert sum(trial.thrice.stats.cache_hits.values()) == 1
    assert not trial.thrice.stats.cache_misses


def test_what_lies_nowhere_is_compiled_once_with_a_word_and_leaves_the_turn_to_the_others(trial, monkeypatch):
    monkeypatch.setattr(compilation, "_SAID", [])
    said: list[str] = []
    compile_in_turn(said.append)
    compile_in_turn(said.append)
    assert trial.thrice(7) == 21
    assert said == ["compiling the kernel, once: about 2 minutes on two free cores"]
    assert sum(trial.twice.stats.cache_misses.values()) == 1, "compiled within the other"
    hold().close()
    assert trial.thrice(7) == 21


def test_a_function_that_cannot_be_compiled_leaves_the_turn_to_the_others(trial):
    compile_in_turn(print)
    for _ in range(2):
        with pytest.raises(TypingError):
            trial.wrong(7)
        hold().close()


def test_without_a_file_to_lock_nobody_waits(trial, monkeypatch):
    monkeypatch.setattr(compile_turn, "lock_file", lambda: Path("/no/such/folder/lock"))
    compile_in_turn(print)
    assert trial.thrice(7) == 21


def test_the_functions_that_are_kept_are_counted_and_parts_of_them_are_not():
    names = {each.py_func.__name__ for each in loops()}
    assert {"put_in_tiles", "encode_from", "decode_into", "checksums_into", "combine_into"} <= names
    assert "quotient" not in names
