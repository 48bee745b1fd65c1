"""The label of a view as it is proposed for a file: which outcome, when it is known, and what a model makes of it."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.project.columns.column import Column
from deploy.project.lengths import delay
from deploy.project.proposal import Proposal
from deploy.project.text.python_text import comment, literal, plain
from shared_features.definitions import Boolean, Integer, Text

_TWO = 2


def label_lines(proposal: Proposal, label: Column, source: str) -> Iterator[str]:
    """The option `labels` of a view. source: the name of the constant that is their event source."""
    names = [literal(each.field) for each in proposal.roles.joins]
    join = names[0] if len(names) == 1 else f"({', '.join(names)})"
    yield from comment(_delay_reason(proposal), 4)
    yield "    labels=LabelSource("
    yield f"        {source},"
    yield from _hint(label)
    yield f"        value={literal(label.field)},"
    yield f"        join={join},"
    yield f"        delay={delay(proposal.delay_us)},"
    if isinstance(label.type, Integer):
        yield from comment("guessed: it counts or measures. Write classes=(0, 1) instead if it is 0 or 1.", 8)
        yield '        task="regression",'
    elif isinstance(label.type, Text) and len(label.counts) == _TWO:
        yield f"        classes=({', '.join(literal(each) for each in _rare_last(label))}),"
    yield "    ),"


def _hint(label: Column) -> Iterator[str]:
    """What a model of this label predicts, and how to have it predict something else."""
    if isinstance(label.type, Boolean):
        yield from comment(
            "A model gives the probability that it is true. If only true ones are ever sent, such as returns, add "
            "otherwise=False.", 8
        )  # fmt: skip
    if not isinstance(label.type, Text):
        return
    rare = _rare_last(label)[-1]
    one = f'value=Condition({literal(label.field)}, "==", {literal(rare)})'
    if len(label.counts) == _TWO:
        text = (
            "guessed: a model gives the probability of the second class, the rarer of two texts. A third text ends the "
            f"training: add it, or write {one}, of which all other texts are false."
        )
    else:
        text = (
            f"guessed: a model says which of {len(label.counts):,} texts. With classes=(...) another is refused. For "
            f"the probability of one of them, such as {plain(rare)}, write {one}, and import Condition above."
        )
    yield from comment(text, 8)


def _rare_last(label: Column) -> list[str]:
    """Its texts, the most frequent first."""
    return [text for text, _ in sorted(label.counts.items(), key=lambda each: (-each[1], each[0]))]


def _delay_reason(proposal: Proposal) -> str:
    if proposal.delay_asked_us is not None:
        return "said: an outcome is known by then."
    if proposal.roles.label_arrival:
        return "guessed: 99 of 100 true outcomes are known by then, so an event that has none by then counts as false."
    if proposal.roles.label_time:
        return "guessed: 95 of 100 outcomes are known by then."
    if proposal.roles.horizon_us:
        return "guessed: the name of the label says when it is known."
    return "guessed: an outcome is known at once. Set the time that it takes."
