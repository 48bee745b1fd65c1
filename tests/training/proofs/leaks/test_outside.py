"""What is opened is noted, and code is not; a module that is imported again has kept nothing."""

from __future__ import annotations

import importlib
import shutil
import sys
import threading
from pathlib import Path

import markupsafe._speedups
import polars as pl
import pytest

from training.proofs.leaks.outside import WATCH, foreign_files, import_again, own_modules


def test_what_is_opened_is_noted_and_nothing_afterwards(tmp_path: Path) -> None:
    (tmp_path / "rates.csv").write_text("1.5\n")
    with WATCH.on() as opened:
        import this  # noqa: F401  # code is no data

        (tmp_path / "rates.csv").read_text()
        pl.read_csv(tmp_path / "rates.csv", has_header=False)
        pl.scan_csv(str(tmp_path / "rates.csv"))
    assert foreign_files(opened) == [str(tmp_path / "rates.csv")]
    assert foreign_files(opened, (tmp_path,)) == []
    count = len(opened)
    (tmp_path / "rates.csv").read_text()
    assert len(opened) == count


def test_what_a_thread_opens_counts_where_the_function_began_it(tmp_path: Path) -> None:
    """One that ran before does the work of others: it looks at a file of keys, say."""
    (tmp_path / "keys").write_text("a")
    asked, answered = threading.Event(), threading.Event()

    def read_when_asked() -> None:
        asked.wait(60)
        (tmp_path / "keys").read_text()
        answered.set()

    before = threading.Thread(target=read_when_asked)
    before.start()
    with WATCH.on() as opened:
        asked.set()
        assert answered.wait(60)
        assert opened == []
        began = threading.Thread(target=(tmp_path / "keys").read_text)
        began.start()
        began.join(60)
    before.join(60)
    assert foreign_files(opened) == [str(tmp_path / "keys")]


def test_a_module_imported_anew_has_kept_nothing_and_the_loaded_one_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "keeping"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "kept.py").write_text("KEPT = []\n")
    (package / "calls.py").write_text(
        "from keeping.kept import KEPT\n\n\ndef calls():\n    KEPT.append(1)\n    return len(KEPT)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    calls = importlib.import_module("keeping.calls")
    kept = sys.modules["keeping.kept"]
    assert [calls.calls(), calls.calls()] == [1, 2]
    assert import_again("keeping.calls", "calls")() == 1
    assert calls.calls() == 3
    assert sys.modules["keeping.calls"] is calls is sys.modules["keeping"].calls
    assert sys.modules["keeping.kept"] is kept is sys.modules["keeping"].kept
    with pytest.raises(ModuleNotFoundError):
        import_again("keeping.nothing", "calls")
    assert sys.modules["keeping.calls"] is calls


def test_what_is_installed_for_another_python_or_compiled_is_no_module_of_the_users_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = tmp_path / "other" / "site-packages"
    packages.mkdir(parents=True)
    (packages / "installed_elsewhere.py").write_text("")
    (tmp_path / "mine_alone.py").write_text("")
    compiled = Path(markupsafe._speedups.__file__)
    shutil.copy(compiled, tmp_path)
    monkeypatch.syspath_prepend(packages)
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("installed_elsewhere", "mine_alone", "_speedups"):
        importlib.import_module(name)
    assert sys.modules["_speedups"].__file__ == str(tmp_path / compiled.name), "the copy"
    own = {each.__name__ for each in own_modules()}
    assert own & {"installed_elsewhere", "mine_alone", "_speedups"} == {"mine_alone"}
