"""The page of windows, hops and conditions, from `window()`, `Window` and `Condition`."""

from __future__ import annotations

from datetime import timedelta
from typing import get_args, get_type_hints

from shared_features import Condition, DefinitionError, days, hours, minutes
from shared_features.definitions import FeatureGroup
from shared_features.definitions.fingerprints import plain_defaults
from shared_features.definitions.groups.aggregate import window
from shared_features.kernel.event_time import format_duration, seconds, spelled_duration
from tests.docs.reference.table import code, table

LENGTHS = (
    seconds(10), seconds(24), seconds(30), minutes(1), minutes(4), minutes(5), minutes(10), minutes(15), minutes(30),
    hours(1), hours(2), hours(6), hours(12), days(1), days(2), days(7), days(14), days(30), days(90), days(365),
)  # fmt: skip
HEAD = """\
# Windows, hops and conditions

## Hops and their defaults

A window covers `floor(as_of - length, hop) <= event_time < as_of`. So its old end moves in steps of the hop, and the
window may be up to one hop longer than its length. The default is the widest of 1 d, 1 h, 5 min, 1 min, 10 s and 1 s
that divides the length and fits 24 times. `Window(days(7), hop=minutes(5))` sets another one. Of any two hops in a
group, the shorter must divide the longer.

"""


def page() -> str:
    head = ("window", "in the feature's name", "default hop", "longest span that it covers", "tiles, at most")
    hints = get_type_hints(Condition)
    operators = table(
        ("operator", "on numbers and booleans", "on texts"),
        [(code(each), "yes", "yes" if each in ("==", "!=") else "no") for each in get_args(hints["operator"])],
    )
    defaults = plain_defaults(FeatureGroup)
    return (
        f"{HEAD}{table(head, [_row(each) for each in LENGTHS])}\n## Conditions\n\n"
        "`Condition(column, operator, value)` lets a group see only the events for which it holds. If the column is\n"
        "missing in an event, no condition on it holds. All conditions of a group must hold. A condition may\n"
        "also be the value of a label (`LabelSource`): whether it holds is what a model predicts.\n\n"
        f"{operators}"
        "\n## Other defaults of a group\n\n"
        + table(("option", "default"), [("`shards`", defaults["shards"]), ("`head`", _spelled(defaults["head"]))])
    )


def _spelled(duration_us: object) -> str:
    return spelled_duration(timedelta(microseconds=int(str(duration_us))))


def _row(length: timedelta) -> tuple[object, ...]:
    try:
        made = window(length)
    except DefinitionError:
        return spelled_duration(length), code(format_duration(length)), "none: write `Window(length, hop)`", "", ""
    # One more than fit: the tile in which the old end lies, when `as_of` is not at a step of the hop.
    return (
        spelled_duration(length), code(format_duration(length)), spelled_duration(made.hop),
        f"{spelled_duration(length)} + {spelled_duration(made.hop)}", made.length // made.hop + 1,
    )  # fmt: skip
