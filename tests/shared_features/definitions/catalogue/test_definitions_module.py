"""A definitions module that cannot be imported: what is at fault is named, with its line."""

from pathlib import Path

import pytest

from shared_features import DefinitionError, load_definitions

BROKEN = {
    "a misspelt library": ("import nunpy\n", r"imports 'nunpy', and there is no such module \(line 1 of {file}\)"),
    "a misspelt part of a library": ("import numpy.lianlg\n", "imports 'numpy.lianlg', and there is no such module"),
    "a name that a library lacks": ("\nfrom numpy import nunpy\n", r"ImportError: .*nunpy.* \(line 2 of {file}\)"),
    "no Python": ("views = (\n", r"SyntaxError: '\(' was never closed \(line 1 of {file}\)"),
    "a misspelt name": ("\n\nview = Veiw()\n", r"NameError: name 'Veiw' is not defined \(line 3 of {file}\)"),
    "an aggregation that does not exist": (
        "from shared_features import *\nAggregate('a', Median(), windows=(hours(1),))\n",
        "NameError: name 'Median' is not defined .*correct the module. There are these aggregations: ApproxDistinct, "
        "Count, .*TimeSinceLast. Did you mean 'Mean'?",
    ),
    "one that is like none": (
        "from shared_features import *\nAggregate('a', Quantile(0.9), windows=(hours(1),))\n",
        "correct the module. There are these aggregations: ApproxDistinct, Count",
    ),
    "one that is imported": (
        "from shared_features import Count, Median\n",
        "cannot import name 'Median' from 'shared_features' .*There are these aggregations: .*Did you mean 'Mean'?",
    ),
    "a field type that does not exist": (
        "from shared_features import *\nField('a', Float())\n",
        "correct the module. There are these field types: Boolean, Decimal, Integer, Text, Timestamp",
    ),
    "one that was not imported": (
        "from shared_features import Field\nField('a', Text())\n",
        "name 'Text' is not defined .*: add `from shared_features import Text`",
    ),
    "no definition": ("x = 1\n", "holds no feature group"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_what_is_at_fault_is_named_and_not_the_definitions_module(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, says = BROKEN[fault]
    name = f"broken_definitions_{list(BROKEN).index(fault)}"
    (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    says = says.format(file=f"{name}.py")
    with pytest.raises(DefinitionError, match=f"definitions module '{name}' .*{says}") as found:
        load_definitions(name)
    assert "MILLRACE_DEFINITIONS" not in str(found.value)


@pytest.mark.parametrize("name", ["no_such_definitions", "no.such.definitions", "tests.domains.no_such"])
def test_a_module_that_is_missing_is_looked_for_on_the_python_path(name: str) -> None:
    with pytest.raises(DefinitionError, match=rf"{name}' cannot be found .*set MILLRACE_DEFINITIONS"):
        load_definitions(name)


def test_a_contradiction_says_itself_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "from shared_features import *\nentity = Entity('shopper', keys=())\n"
    (tmp_path / "contradicting_definitions.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(DefinitionError, match=r"^entity 'shopper' has no key field.* \(line 2 of contr.*\.py\)"):
        load_definitions("contradicting_definitions")


def test_the_line_is_that_of_the_user_where_the_fault_is_found_by_a_property(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Columns of a view are a cached property, which Python's functools computes."""
    text = "from tests.domains.machines import *\nfrom tests.domains.machines import READINGS\n\n\n\n"
    text += "VIEW = FeatureView(name='hot', version=1, source=READINGS, features=('celsus',))\n"
    (tmp_path / "misspelt_definitions.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(DefinitionError, match=r"Did you mean 'celsius'\? \(line 6 of misspelt_definitions\.py\)"):
        load_definitions("misspelt_definitions")


WITHOUT_STATION = """
from shared_features import *

HOURLY = EventSource(
    name="hourly",
    topic="hourly",
    fields=(Field("id", Text()), Field("at", Timestamp()), Field("station", Text(max_length=16))),
    event_id="id",
    event_time="at",
)
WATER = EventSource(
    name="water",
    topic="water",
    fields=(Field("id", Text()), Field("at", Timestamp()), Field("used", Decimal(1, low=0, high=9))),
    event_id="id",
    event_time="at",
)
STATION = Entity("station", keys=("station",))
GROUP = FeatureGroup("station_water", 1, STATION, (WATER,), (Aggregate("used", Mean(), windows=(hours(1),)),))
"""


def test_a_key_that_another_source_has_is_to_be_added_with_its_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The outcomes of a file lack the key of its events until a group counts them."""
    (tmp_path / "definitions_without_station.py").write_text(WITHOUT_STATION)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(DefinitionError) as found:
        load_definitions("definitions_without_station")
    said = str(found.value)
    assert said.startswith("feature group 'station_water': source 'water' has no field 'station'.")
    assert "'hourly' has it. Add Field('station', Text(max_length=16)) to 'water' too: `produce` fills it" in said
