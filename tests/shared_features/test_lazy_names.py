"""What a package offers is loaded when it is used, and is then as if it had been imported at once."""

import importlib
import inspect
import pickle
import subprocess
import sys

import pytest

import shared_features
from shared_features import definitions
from shared_features.definitions import Timestamp
from shared_features.lazy_names import lazy_names
from tests.architecture.source_tree import ROOT

FACES = [shared_features, definitions]


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("face", FACES)
def test_every_name_is_given_by_attribute_by_import_and_by_star(face) -> None:
    star: dict[str, object] = {}
    exec(f"from {face.__name__} import *", star)
    for name in face.__all__:
        assert star[name] is getattr(face, name)
        assert name in dir(face)
    assert not star.keys() - {*face.__all__, "__builtins__"}


@pytest.mark.parametrize("face", FACES)
def test_a_name_is_that_of_its_module_in_whatever_order_both_are_loaded(face) -> None:
    """A module that is called like a name would hide it, once it is loaded."""
    code = (
        "import importlib, pkgutil\n"
        f"import {face.__name__} as face\n"
        "for each in pkgutil.iter_modules(face.__path__, face.__name__ + '.'):\n"
        "    importlib.import_module(each.name)\n"
        "print([name for name in face.__all__ if type(getattr(face, name)) is type(face)])\n"
    )
    assert run(code).stdout == "[]\n"


def test_classes_have_their_own_module_and_can_be_pickled_and_inspected() -> None:
    assert shared_features.Timestamp is Timestamp
    assert Timestamp.__module__ == "shared_features.definitions.field_types.timestamp"
    assert pickle.loads(pickle.dumps(Timestamp("ms"))) == Timestamp("ms")
    members = dict(inspect.getmembers(shared_features))
    assert members["Timestamp"] is Timestamp
    assert {*shared_features.__all__} <= members.keys()


def test_a_name_is_loaded_once() -> None:
    before = vars(definitions).pop("Entity", None)
    assert "Entity" in dir(definitions)
    assert definitions.Entity is importlib.import_module("shared_features.definitions.sources.entity").Entity
    assert vars(definitions)["Entity"] is before or before is None


@pytest.mark.parametrize("face", FACES)
def test_a_misspelt_name_is_missing_as_in_any_module(face) -> None:
    assert not hasattr(face, "Agregate")
    with pytest.raises(AttributeError, match=f"^module '{face.__name__}' has no attribute 'Agregate'$") as missing:
        _ = face.Agregate
    assert (missing.value.name, missing.value.obj) == ("Agregate", face)
    with pytest.raises(ImportError, match=f"^cannot import name 'Agregate' from '{face.__name__}'"):
        exec(f"from {face.__name__} import Agregate")


def test_python_says_which_name_was_probably_meant() -> None:
    assert "Did you mean: 'Aggregate'?" in run("import shared_features\nshared_features.Agregate").stderr
    said = run("from shared_features import Agregate").stderr
    assert ("Did you mean: 'Aggregate'?" in said) == (sys.version_info >= (3, 12))  # 3.11 says it of no import


def test_a_module_that_fails_says_so_itself() -> None:
    load, names = lazy_names(__name__, {"no.such.module": "thing other"})
    assert {"thing", "other"} <= set(names())
    with pytest.raises(ModuleNotFoundError, match="No module named 'no'"):
        load("thing")
