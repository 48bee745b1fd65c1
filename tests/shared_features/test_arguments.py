"""A definition that is called wrongly says what to write: never a bare TypeError or AttributeError from inside."""

import copy
import pickle
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from shared_features import (
    Aggregate,
    ApproxDistinct,
    Condition,
    Count,
    Decimal,
    DefinitionError,
    Entity,
    EventSource,
    FeatureGroup,
    FeatureView,
    Field,
    GrownGroup,
    Integer,
    LabelSource,
    Last,
    Max,
    Mean,
    Sum,
    Text,
    Timestamp,
    Window,
    days,
    hours,
    minutes,
)
from shared_features.arguments import Checked
from shared_features.definitions.field_types import Boolean
from shared_features.kernel.aggregations import Aggregation
from tests.shared_features.definitions.orders import FIELDS, SOURCE, group, view

called: Any = SimpleNamespace(**{each.__name__: each for each in (
    Aggregate, Aggregation, ApproxDistinct, Condition, Decimal, Entity, FeatureGroup, Field, GrownGroup, Integer, Mean,
    Timestamp, Window, days,
)})  # fmt: skip
"""Constructors as somebody without a type checker calls them."""
DAY = (days(1),)


def source(**changes: Any) -> EventSource:
    return replace(SOURCE, **changes)


def labels(**changes: Any) -> LabelSource:
    return LabelSource(**{"source": SOURCE, "value": "price", "join": "id", "delay": days(1), **changes})


def fields_but(name: str, kind: Any, **options: Any) -> tuple[Field, ...]:
    return tuple(Field(name, kind, **options) if each.name == name else each for each in FIELDS)


async def later(price: Any) -> Any:
    return price


def one_by_one(price: Any) -> Any:
    yield price


def of_all(*prices: Any) -> Any:
    return prices


def by_name(*, price: Any) -> Any:
    return price


def constant() -> float:
    return 1.0


def misspelt(prise: Any) -> Any:
    return prise


class Callable_:
    def __call__(self, price: Any) -> Any:
        return price


WRONG: dict[str, tuple[Callable[[], object], str]] = {
    # Aggregates and windows
    "a class of an aggregation": (lambda: called.Aggregate("price", Max, DAY), "the class Max; write Max()"),
    "a name of an aggregation": (
        lambda: called.Aggregate("price", "mean", DAY),
        "Aggregate('price', ...): aggregation is 'mean'; write Mean()",
    ),
    "no aggregation": (
        lambda: called.Aggregate("price", None, DAY),
        "write one of Count(), Sum(), Mean(), Std(), Min()",
    ),
    "a window in no tuple": (lambda: called.Aggregate("price", Mean(), days(7)), "write windows=(days(7),)"),
    "a window as a text": (
        lambda: called.Aggregate("price", Mean(), "7d"),
        "windows is '7d'; write windows=(days(7),)",
    ),
    "a window as a number": (lambda: called.Aggregate("price", Mean(), 7), "windows is 7; write windows=(days(7),)"),
    "a number among windows": (
        lambda: called.Aggregate("price", Mean(), (hours(1), 7)),
        "windows[1] is 7; write days(7), hours(7), minutes(7) or seconds(7)",
    ),
    "a text among windows": (
        lambda: called.Aggregate("price", Mean(), ("90 min",)),
        "windows[0] is '90 min'; write minutes(90)",
    ),
    "a misspelt option": (
        lambda: called.Aggregate("price", Mean(), window=days(7)),
        "there is no option 'window'. Did you mean 'windows'?",
    ),
    "a missing option": (
        lambda: called.Aggregate("price", Mean()),
        "Aggregate('price', ...): windows must be given",
    ),
    "no window": (lambda: called.Aggregate("price", Mean(), ()), "has no window; give one, as in windows=(days(7),)"),
    "two columns": (lambda: called.Aggregate(["a", "b"], Mean(), DAY), "column is ['a', 'b']; write a text or None"),
    "a column of an aggregation": (lambda: called.Mean("price"), "'price' is given and not asked for"),
    "a hop that is not a duration": (lambda: called.Window(hours(1), 5), "hop is 5; write days(5), hours(5)"),
    "a hop that does not divide": (
        lambda: Window(hours(1), minutes(7)),
        "window of 1 h with a hop of 7 min: the hop must divide the length",
    ),
    "a duration of a text": (lambda: called.days("7"), "days('7') is not a duration; write a number, as in days(7)"),
    "a duration without end": (lambda: hours(float("inf")), "hours(inf) is not a duration"),
    "a size as a text": (lambda: called.ApproxDistinct("256"), "k is '256'; write a whole number"),
    # Fields and their types
    "a class of a type": (lambda: called.Field("x", Integer), "field 'x': type is the class Integer; write Integer()"),
    "a class that needs options": (lambda: called.Field("x", Decimal), "write Decimal(decimals, low, high)"),
    "a type of Python": (lambda: called.Field("x", str), "type is the class str; write Text()"),
    "a type as a text": (lambda: called.Field("x", "integer"), "type is 'integer'; write Integer()"),
    "another unit": (lambda: called.Timestamp("iso"), "unit is 'iso'; did you mean 'rfc3339'?"),
    "another unit of an epoch": (lambda: called.Timestamp("seconds"), "did you mean 's'?"),
    "no bounds": (lambda: called.Decimal(2), "Decimal(...): low and high must be given"),
    "half a decimal": (lambda: called.Decimal(2.5, 0, 1), "decimals is 2.5; write a whole number"),
    "a bound as a text": (lambda: called.Integer("0"), "low is '0'; write a whole number"),
    "a bound that is no number": (lambda: called.Field("x", Decimal(2, float("nan"), 1)), "field 'x': low nan"),
    "a bound without end": (lambda: called.Field("x", Decimal(2, 0, float("inf"))), "narrow the bounds"),
    "an empty text": (lambda: called.Field("x", Text(0)), "max_length is 0; give 1 or more"),
    "a description in the wrong place": (
        lambda: called.Field("x", Integer(), "what it is"),
        "field 'x': optional is 'what it is'; write True or False",
    ),
    # Sources, entities, conditions
    "a topic that Kafka refuses": (lambda: source(topic="or ders"), "topic is 'or ders'; a topic of Kafka has"),
    "one field": (lambda: source(fields=FIELDS[0]), "fields is ID; write fields=(ID,)"),
    "fields as a dict": (lambda: source(fields={"id": Text()}), "write a tuple, each a Field"),
    "a misspelt event id": (lambda: source(event_id="idd"), "Did you mean 'id'?"),
    "another event time": (lambda: source(event_time="event_time"), "Its Timestamp fields are at"),
    "a tolerance without unit": (lambda: source(tolerated_future=300), "minutes(300) or seconds(300)"),
    "an unknown rule": (
        lambda: source(unknown_fields="rejct"),
        "did you mean 'reject'? Write one of 'ignore', 'reject'",
    ),
    "a format that is no text": (lambda: source(format=None), "format is None; write a text"),
    "a key in no tuple": (lambda: called.Entity("who", "who"), "entity 'who': keys is 'who'; write keys=('who',)"),
    "a key twice": (lambda: called.Entity("who", ("a", "a")), "a key is named twice"),
    "an assignment": (lambda: called.Condition("price", "=", 3), "operator is '='; did you mean '=='?"),
    "no value": (lambda: called.Condition("price", ">", None), "value is None; write a number or a text"),
    "a condition that never holds": (lambda: group(where=(Condition("price", ">", float("nan")),)), "with nan"),
    "a condition in no tuple": (lambda: group(where=Condition("who", ">", 3)), "write where=(Condition("),
    # Groups
    "a source in no tuple": (
        lambda: group(sources=SOURCE),
        "feature group 'spend': sources is ORDERS; write sources=(ORDERS,)",
    ),
    "a source by its name": (lambda: group(sources=("orders",)), "write the EventSource itself, not its name"),
    "an entity by its name": (lambda: group(entity="who"), "entity is 'who'; write the Entity itself, not its name"),
    "an aggregate in no tuple": (lambda: group(aggregates=Aggregate("price", Sum(), DAY)), "aggregates=(Aggregate("),
    "an aggregation for an aggregate": (
        lambda: group(aggregates=(Mean(),)),
        "aggregates[0] is Mean(); write an Aggregate",
    ),
    "a version as a text": (lambda: group(version="1"), "version is '1'; write a whole number"),
    "no shard": (lambda: group(shards=0), "shards is 0"),
    "a misspelt column": (
        lambda: group(aggregates=(Aggregate("prise", Mean(), DAY),)),
        "feature group 'spend': source 'orders' has no field 'prise'. Did you mean 'price'?",
    ),
    "the mean of a text": (
        lambda: group(aggregates=(Aggregate("id", Mean(), DAY),)),
        "feature group 'spend': Mean of 'id', which is a text in 'orders'; Mean needs a number. Write Count(), First()",
    ),
    "the greatest of a text": (lambda: group(aggregates=(Aggregate("id", Max(), DAY),)), "Max needs a number"),
    "a key that is a decimal": (
        lambda: group(entity=Entity("price", ("price",))),
        "entity key 'price' is a Decimal in 'orders'; a key is an Integer or a Text",
    ),
    "a misspelt key": (lambda: group(entity=Entity("who", ("woh",))), "Did you mean 'who'?"),
    "hops that are not nested": (
        lambda: group(
            aggregates=(Aggregate("price", Mean(), (Window(hours(1), minutes(4)), Window(hours(2), minutes(6)))),)
        ),
        "a hop of 4 min does not divide a hop of 6 min",
    ),
    "an addition in no tuple": (
        lambda: called.GrownGroup(group(), Aggregate("price", Sum(), DAY)),
        "write added=(",
    ),
    # Views
    "a feature in no tuple": (lambda: view(features="price"), "features is 'price'; write features=('price',)"),
    "a group in no tuple": (lambda: view(also_reads=group()), "write also_reads=(SPEND,)"),
    "an aggregation for a feature": (
        lambda: view(features=(Mean(),)),
        "features[0] is Mean(); write a text or a Feature",
    ),
    "a class for a function": (lambda: view(features=(Mean,)), "features[0] is the class Mean"),
    "a lambda": (
        lambda: view(features=("price", lambda price: price)),
        "feature view 'v': features[1] is a lambda, which has no name. Define a function with `def`",
    ),
    "a part of a function": (lambda: view(features=(partial(misspelt, 3),)), "is a partial without a name"),
    "a callable object": (lambda: view(features=(Callable_(),)), "is a Callable_ without a name"),
    "an asynchronous function": (lambda: view(features=(later,)), "'later', is asynchronous"),
    "a generator": (lambda: view(features=(one_by_one,)), "or a generator. Write a function that returns its value"),
    "inputs in any number": (lambda: view(features=(of_all,)), "takes *prices by name or in any number"),
    "inputs by name": (lambda: view(features=(by_name,)), "Write each input as a plain parameter"),
    "a function of nothing": (lambda: view(features=(constant,)), "'constant', takes no inputs"),
    "a function of numpy": (
        lambda: view(features=(np.log,)),
        "feature view 'v': features[0], the on-demand function 'log'",
    ),
    "a misspelt input": (lambda: view(features=(misspelt,)), "input 'prise' of 'misspelt' is not a field of 'orders'"),
    "a misspelt feature": (
        lambda: view(features=("prise",)),
        "feature 'prise' is not a field of 'orders', which has id, at",
    ),
    "a misspelt stored feature": (lambda: group()["price_mean_2d"], "Did you mean 'price_mean_1d'?"),
    "a text as a feature": (lambda: view(features=("id",)), "feature 'id' is a text field of 'orders'"),
    "a stored text as a feature": (
        lambda: view(features=(group(aggregates=(Aggregate("id", Last(), DAY),)),)),
        "feature 'spend__id_last_1d' is a text, kept as a code, and a model takes numbers. Drop it from features",
    ),
    "a source by name": (lambda: view(source="orders"), "write the EventSource itself, not its name"),
    "a name with a blank": (lambda: view(name="my view"), "feature view 'my view': a name has letters"),
    "a key of another type": (
        lambda: view(source=source(fields=fields_but("who", Text()))),
        "group 'spend' is keyed by 'who', which is Integer in 'orders' (Whole number) and Text in 'orders'",
    ),
    "a key that may be missing": (
        lambda: view(source=source(fields=fields_but("who", Integer(), optional=True))),
        "is keyed by 'who', which is optional in 'orders'; make it required",
    ),
    # Labels
    "labels that are a source": (lambda: view(labels=SOURCE), "labels is ORDERS; write a LabelSource or a tuple"),
    "a misspelt label": (
        lambda: view(labels=labels(value="prise")),
        "label: source 'orders' has no field 'prise'. Did",
    ),
    "a misspelt join": (
        lambda: view(labels=labels(join="idd")),
        "labels join on 'idd': source 'orders' has no field 'idd'. Did",
    ),
    "a join of two types": (
        lambda: view(labels=labels(source=source(name="outcomes", fields=fields_but("id", Integer())))),
        "feature view 'v': labels join on 'id', which is Text in 'orders' (Text of at most 256 characters) and "
        "Integer in 'outcomes' (Whole number); give both one type",
    ),
    "a join of two scales": (
        lambda: view(
            labels=labels(
                source=source(
                    name="outcomes",
                    fields=(*fields_but("price", Decimal(3, 0, 100)), Field("returned", Boolean())),
                ),
                value="returned",
                join="price",
            )
        ),
        "which is Decimal in 'orders' (Number with 2 decimals, 0 to 100) and Decimal in 'outcomes' (Number with 3",
    ),
    "a label that names the event": (
        lambda: view(labels=labels(value="id")),
        "is Text (Text of at most 256 characters), which names an event, so no model predicts it",
    ),
    "a delay without unit": (lambda: labels(delay=7), "delay is 7; write days(7), hours(7), minutes(7) or seconds(7)"),
    "a delay backwards": (lambda: view(labels=labels(delay=-days(7))), "a delay of -7 d; give zero or more"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_and_what_to_write_is_said(name: str) -> None:
    build, says = WRONG[name]
    with pytest.raises(DefinitionError, match=re.escape(says)):
        build()


def test_a_list_is_taken_for_a_tuple_and_a_whole_number_for_an_int() -> None:
    """So the definition is what it would be, with the same fingerprint."""
    price = called.Aggregate("price", Mean(), [days(1)])
    listed = called.FeatureGroup("spend", 1, called.Entity("who", ["who"]), [SOURCE], [price])
    assert listed == group()
    assert listed.fingerprint == group().fingerprint
    assert hash(listed) == hash(group())
    assert called.Integer(0, 1e6) == Integer(0, 1_000_000)
    assert isinstance(called.Integer(0, 1e6).high, int)


@pytest.mark.parametrize(
    ("given", "option", "plain"),
    [
        (lambda given: called.Integer(0, given), np.int64(9), 9),
        (lambda given: called.Decimal(given, 0, 1), np.int8(2), 2),
        (lambda given: called.Aggregate(given, Mean(), DAY), np.str_("price"), "price"),
        (lambda given: Part(given), np.float32(0.5), 0.5),
        (lambda given: Part(given), np.float64(0.1), 0.1),
        (lambda given: Part(given), np.int64(3), 3),
        (lambda given: Choice(given), np.arange(5), (0, 1, 2, 3, 4)),
        (lambda given: Choice(given), [np.int64(7), np.str_("a"), np.True_], (7, "a", True)),
        (lambda given: Choice(given), np.array(["b", "a"]), ("b", "a")),
        (lambda given: Weights(given), {np.int64(1): np.float32(0.5)}, {1: 0.5}),
    ],
)
def test_numbers_and_texts_of_numpy_are_taken_for_those_of_python(
    given: Callable[[Any], Any], option: Any, plain: Any
) -> None:
    """What a file or a computation gave was refused as "np.float32(0.5); write a number"."""
    assert given(option) == given(plain)
    assert repr(given(option)) == repr(given(plain)), "nothing of numpy is kept"


@pytest.mark.parametrize("option", [np.timedelta64(9, "ns"), np.datetime64(9, "ns"), np.True_, np.array([9]), 1j])
def test_what_is_no_number_of_numpy_is_refused(option: Any) -> None:
    with pytest.raises(DefinitionError, match="high is "):
        called.Integer(0, option)
    with pytest.raises(DefinitionError, match="of is "):
        Part(option)


def test_a_table_of_numpy_is_no_tuple() -> None:
    with pytest.raises(DefinitionError, match="order"):
        Choice(np.zeros((2, 2)))  # type: ignore[arg-type]


def test_types_that_may_be_joined_differ_in_nothing_that_a_stored_value_depends_on() -> None:
    assert Integer(0, 9).is_like(Integer())
    assert Text(9).is_like(Text())
    assert Timestamp("ms").is_like(Timestamp("rfc3339"))
    assert not Integer().is_like(Timestamp())
    assert not Integer().is_like(Boolean())
    assert not Decimal(2, 0, 1).is_like(Decimal(3, 0, 1))


@dataclass(frozen=True)
class Share(Aggregation):
    """An aggregation of a user's own, with options."""

    of: float
    name = "share"


@dataclass(frozen=True)
class Choice(metaclass=Checked):
    """A definition of several values."""

    order: tuple[str | int | bool, ...]


@dataclass(frozen=True)
class Part(metaclass=Checked):
    """A definition of a number."""

    of: float


@dataclass(frozen=True)
class Weights(metaclass=Checked):
    """A definition of a number for each value."""

    of: Mapping[Any, float]


def test_ones_own_aggregation_is_checked_too() -> None:
    with pytest.raises(DefinitionError, match=re.escape("Share(...): of is 'half'; write a number")):
        Share(*["half"])  # type: ignore[abstract,arg-type]


def test_definitions_are_copied_and_pickled_as_before() -> None:
    for definition in (group(), ApproxDistinct(9), view(features=(group(), "price")), Count()):
        assert copy.deepcopy(definition) == definition
        assert pickle.loads(pickle.dumps(definition)) == definition


def test_an_error_of_a_class_itself_stays_what_it_is() -> None:
    with pytest.raises(TypeError, match="abstract"):
        called.Aggregation()


def test_a_view_that_is_right_is_accepted() -> None:
    assert isinstance(view(labels=labels()), FeatureView)
