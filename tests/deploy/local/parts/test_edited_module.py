"""An edited file of the definitions is noticed, and so is that the edit was undone."""

import importlib
import sys

import pytest

from deploy.local.parts import edited_module
from deploy.local.parts.edited_module import EditedModule


@pytest.fixture
def loaded(tmp_path, monkeypatch):
    """A package of the user's, loaded."""
    monkeypatch.setattr(edited_module, "_LOOK_EVERY_S", 0.0)
    monkeypatch.syspath_prepend(str(tmp_path))
    package = tmp_path / "edited_shop"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "prices.py").write_text("HIGH = 10\n")
    (package / "features.py").write_text("from edited_shop.prices import HIGH\n")
    for name in ("edited_shop", "edited_shop.prices", "edited_shop.features"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    importlib.import_module("edited_shop.features")
    return package, EditedModule("edited_shop.features", [str(tmp_path)])


def test_nothing_is_edited_at_first(loaded):
    assert loaded[1].edited() == []


def test_an_edit_is_noticed_also_in_a_module_that_the_module_loads(loaded):
    package, module = loaded
    (package / "prices.py").write_text("HIGH = 20\n")
    assert module.edited() == ["prices.py"]
    (package / "features.py").unlink()
    assert sorted(module.edited()) == ["features.py", "prices.py"]


def test_an_edit_that_is_undone_is_none(loaded):
    package, module = loaded
    (package / "prices.py").write_text("HIGH = 20\n")
    (package / "prices.py").write_text("HIGH = 10\n")
    assert module.edited() == []
