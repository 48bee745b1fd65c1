"""A result is there whole or not at all, whatever dies or runs beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared_features.formats.training_run import NEW_PREFIX, StepResult, decode_step_result, encode_step_result
from training.steps.result_store import ResultStore

DAY_S = 24 * 3600.0


@pytest.fixture
def store(tmp_path: Path) -> ResultStore:
    return ResultStore(tmp_path)


def begun(store: ResultStore) -> Path:
    folder = store.begin("fit", "k1", {"dataset/rows": "d"})
    (folder / "fit" / "model").write_bytes(b"abc")
    return folder


def test_a_killed_writer_leaves_no_result_but_says_what_it_began(store: ResultStore) -> None:
    folder = begun(store)
    assert store.find("fit", "k1") is None
    told = decode_step_result((folder / "begun.json").read_bytes())
    assert told == StepResult("fit", "k1", {"dataset/rows": "d"}, {})
    assert store.forget() == 0, "its process may still be alive"
    late = ResultStore(store.directory.parent, clock=lambda: folder.stat().st_mtime + 2 * DAY_S)
    assert late.forget() == 1


def test_of_two_writers_of_one_key_the_first_counts(store: ResultStore) -> None:
    first, second = begun(store), begun(store)
    one = store.commit(first, "fit", "k1", {"dataset/rows": "d"}, "first", {})
    other = store.commit(second, "fit", "k1", {"dataset/rows": "d"}, "second", {})
    assert one == other == store.find("fit", "k1")
    assert other.line == "first"
    assert not list(store.directory.glob(f"{NEW_PREFIX}*"))


def test_a_claimed_result_is_not_forgotten_and_an_unclaimed_one_is(store: ResultStore, tmp_path: Path) -> None:
    run = tmp_path / "view" / "run"
    run.mkdir(parents=True)
    assert store.claim(run / "fit", "fit", "k1") is None
    store.commit(begun(store), "fit", "k1", {}, "", {})
    assert store.forget() == 0
    assert (run / "fit" / "model").read_bytes() == b"abc"
    (run / "fit").unlink()
    assert store.forget() == 1
    assert store.find("fit", "k1") is None


def test_a_result_that_cannot_be_read_is_made_again(store: ResultStore) -> None:
    store.commit(begun(store), "fit", "k1", {}, "", {})
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
