"""A result is there whole or not at all, whatever dies or runs beside it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shared_features.formats.training_run import NEW_PREFIX, StepResult, decode_step_result, encode_step_result
from training.steps.result_store import ResultStore

WRITER = """
import sys, time
from pathlib import Path
from training.steps.result_store import ResultStore

with ResultStore(Path(sys.argv[1])).begin("fit", "k1", {"dataset/rows": "d"}) as folder:
    (folder / "fit" / "model").write_bytes(b"abc")
    print(folder, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def store(tmp_path: Path) -> ResultStore:
    return ResultStore(tmp_path)


def commit(store: ResultStore, line: str = "") -> StepResult:
    with store.begin("fit", "k1", {"dataset/rows": "d"}) as folder:
        (folder / "fit" / "model").write_bytes(b"abc")
        return store.commit(folder, "fit", "k1", {"dataset/rows": "d"}, line, {})


def test_what_a_living_process_makes_stays_however_old_it_looks_and_what_a_killed_one_left_goes_at_once(
    store: ResultStore, tmp_path: Path
) -> None:
    """A machine whose clock steps forward by a month must not take a result from under its writer."""
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]) as writer:
        assert writer.stdout is not None
        try:
            folder = Path(writer.stdout.readline().strip())
            for each in (folder, folder / "begun.json"):
                os.utime(each, (0, 0))
            assert store.find("fit", "k1") is None
            told = decode_step_result((folder / "begun.json").read_bytes())
            assert told == StepResult("fit", "k1", {"dataset/rows": "d"}, {})
            assert store.forget() == 0
            assert (folder / "fit" / "model").is_file()
        finally:
            writer.kill()
            writer.wait()
    assert folder.is_dir()
    assert store.forget() == 1
    assert not folder.exists()


def test_a_step_that_fails_leaves_nothing(store: ResultStore) -> None:
    with pytest.raises(ValueError, match="no memory"), store.begin("fit", "k1", {}):
        raise ValueError("no memory")
    assert not list(store.directory.glob(f"{NEW_PREFIX}*"))


def test_of_two_writers_of_one_key_the_first_counts(store: ResultStore) -> None:
    with store.begin("fit", "k1", {}) as slower:
        one = commit(store, "first")
        other = store.commit(slower, "fit", "k1", {}, "second", {})
    assert one == other == store.find("fit", "k1")
    assert other.line == "first"
    assert not list(store.directory.glob(f"{NEW_PREFIX}*"))


def test_a_claimed_result_is_not_forgotten_and_an_unclaimed_one_is(store: ResultStore, tmp_path: Path) -> None:
    run = tmp_path / "view" / "run"
    run.mkdir(parents=True)
    assert store.claim(run / "fit", "fit", "k1") is None
    commit(store)
    assert store.forget() == 0
    assert (run / "fit" / "model").read_bytes() == b"abc"
    (run / "fit").unlink()
    assert store.forget() == 1
    assert store.find("fit", "k1") is None


def test_a_result_that_cannot_be_read_is_made_again(store: ResultStore) -> None:
    commit(store)
    (store.directory / "k1" / "result.json").write_bytes(b"{")
    assert store.find("fit", "k1") is None
    assert not (store.directory / "k1").exists()


def test_the_document_keeps_its_bytes() -> None:
    result = StepResult("fit", "k1", {"dataset/matrix.npy": "d1"}, {"m.pickle": ("f1", 3)}, "100 rows")
    assert decode_step_result(encode_step_result(result)) == result
    assert encode_step_result(result) == (
        b'{\n  "files": {\n    "m.pickle": [\n      "f1",\n      3\n    ]\n  },\n  "key": "k1",\n'
        b'  "line": "100 rows",\n'
        b'  "made_from": {\n    "dataset/matrix.npy": "d1"\n  },\n  "schema_version": 1,\n  "step": "fit"\n}\n'
    )
