"""The sources of a view's labels, in order of precedence: what they have to have in common."""

from __future__ import annotations

from collections import Counter

from shared_features.definitions.sources.event_source import EventSource
from shared_features.definitions.sources.label_source import LabelSource
from shared_features.errors import DefinitionError

Labels = LabelSource | tuple[LabelSource, ...] | None


def listed_sources(labels: Labels) -> tuple[LabelSource, ...]:
    """The sources, the first that has a label of an event gives it; empty of a view without labels."""
    if labels is None or isinstance(labels, LabelSource):
        return () if labels is None else (labels,)
    return labels


def check_label_sources(where: str, sources: tuple[LabelSource, ...], spine: EventSource) -> None:
    """Raises DefinitionError where one of them cannot label the events of a spine, or does not fit the others."""
    for each in sources:
        each.check(where, spine)
    if twice := [title for title, count in Counter(each.title for each in sources).items() if count > 1]:
        raise DefinitionError(f"{where}: labels {twice[0]} are given twice; drop one")
    for each in sources[:-1]:
        if each.is_of_every_event:
            raise DefinitionError(
                f"{where}: labels {each.title} stand before others, and every event has one of them when its delay is "
                "over, so the others would never count; put it last"
            )
    for each in sources[1:]:
        if _outcomes(each) != _outcomes(sources[0]):
            raise DefinitionError(
                f"{where}: labels {sources[0].title} and {each.title} are not of the same outcomes: "
                f"{_said(sources[0])}, and {_said(each)}; give all one task and the same classes"
            )


def _outcomes(labels: LabelSource) -> tuple[object, ...]:
    named = labels.is_named and labels.source.field(labels.column).is_text
    return labels.kind, labels.classes, named


def _said(labels: LabelSource) -> str:
    classes = f" of the classes {labels.classes!r}" if labels.classes else ""
    text = " of texts" if labels.is_named and not classes and labels.source.field(labels.column).is_text else ""
    return f"{labels.kind!r}{classes}{text}"
