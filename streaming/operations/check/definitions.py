"""Checks of the definitions alone: every on-demand function is called, and what nothing reads is named."""

from __future__ import annotations

from collections.abc import Iterator

from shared_features.counted import counted
from shared_features.definitions import Catalogue, check_functions
from shared_features.errors import OnDemandError
from streaming.operations.check.finding import Finding


def broken_views(catalogue: Catalogue) -> Iterator[Finding]:
    """The views whose on-demand functions cannot work. The stream runs without them, training and serving do not."""
    for view in catalogue.views:
        try:
            check_functions(view)
        except OnDemandError as error:
            yield Finding(
                "broken", "Definitions", f"{error}. Training and serving refuse this view; streaming continues"
            )


def unread_groups(catalogue: Catalogue) -> Iterator[Finding]:
    """Groups that no view reads: they cost memory and time, and no model sees them."""
    read = {group.label for view in catalogue.views for group in view.groups}
    for group in catalogue.groups:
        if group.label not in read:
            text = "no view reads it. Add it to the features of a view, or remove it from the module"
            yield Finding("warning", f"group {group.label}", text)


def definitions_line(catalogue: Catalogue) -> str:
    """What was looked at, in one line."""
    functions = {(view.label, each.name) for view in catalogue.views for each in view.columns if each.function}
    names = ", ".join(view.label for view in catalogue.views)
    return (
        f"definitions: {counted(len(catalogue.sources), 'source')}, {counted(len(catalogue.groups), 'group')}, views "
        f"{names}; {counted(len(functions), 'on-demand function')} called with trial values"
    )
