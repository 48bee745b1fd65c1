"""The text of a module of definitions, as it is proposed for a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from deploy.project.columns.column import Column
from deploy.project.lengths import spelled_length
from deploy.project.proposal import Proposal
from deploy.project.text.label_text import label_lines
from deploy.project.text.python_text import comment, literal, plain, spelled
from deploy.project.text.units import unit_of
from deploy.project.topic_sample import TopicSample
from shared_features.definitions import Decimal, Integer
from streaming.kafka.decoders.nested_json_format import NAME as NESTED_JSON

_IMPORTED = ("Aggregate", "ApproxDistinct", "Boolean", "Count", "Decimal", "Entity", "EventSource", "FeatureGroup",
             "FeatureView", "Field", "Integer", "LabelSource", "Max", "Mean", "Text", "TimeSinceLast", "Timestamp",
             "days", "hours", "minutes", "seconds")  # fmt: skip

_COME_LATER = (
    "becomes known later, so the event above lacks it: a request cannot know it",
    "become known later, so the event above lacks them: a request cannot know them",
)


class ModuleText:
    """`text`: the module. `functions`: the names of its on-demand functions."""

    def __init__(self, proposal: Proposal, file: str, topic: TopicSample | None = None) -> None:
        self._proposal, self._file, self._topic = proposal, file, topic
        fields = {each.field for each in proposal.spine}
        self._is_signed = bool(proposal.measures) and _is_signed(proposal.measures[0])
        named = "minus" if self._is_signed else "over"
        self.over = _free(f"{proposal.measures[0].field}_{named}_usual", fields) if proposal.measures else None
        self.hour = _free("hour_of_day", fields)
        self._source = proposal.source.upper()
        self._entity = f"{proposal.entity.upper()}_ENTITY"
        self._group = f"{proposal.entity}_{proposal.source}".upper() + "_GROUP"

    @property
    def text(self) -> str:
        body = "\n".join([*self._sources(), *self._group_text(), *self._functions(), *self._view()])
        used = [name for name in _IMPORTED if f"{name}(" in body]
        head = [
            f'"""What {self._proposal.project} tells and asks. Proposed from {plain(self._file)}: read each comment.',
            "",
            "A comment that begins with `guessed` says what was seen in the first rows. Correct it if wrong.",
            '"""',
            "",
            "from typing import Any",
            "",
            "import numpy as np",
            "",
            "from shared_features import (",
            *(f"    {name}," for name in used),
            ")",
            "",
        ]
        return "\n".join(head) + "\n" + body + "\n"

    def _sources(self) -> Iterator[str]:
        proposal, roles = self._proposal, self._proposal.roles
        for unknown in roles.unknown:
            yield from comment(f"TO DO: {unknown}.")
        for each in proposal.left:
            yield from comment(f"Column {plain(each.name)} is left out: {each.why}.")
        yield from comment(f"{_how(roles.why['key'])}: {roles.key.name} is the key: {roles.why['key']}.")
        yield f"{self._entity} = Entity({literal(proposal.entity)}, keys=({literal(roles.key.field)},))"
        yield ""
        yield from self._source_text(self._source, proposal.source, proposal.spine, roles.time)
        if roles.label is None:
            return
        known = roles.label_time or roles.time
        later = [each.name for each in (roles.label, *roles.later)]
        yield from comment(
            f"{_how(roles.why['label'])}: {roles.label.name} is the label: {roles.why['label']}. The same file feeds "
            f"both sources. {' and '.join(later)} {_COME_LATER[len(later) > 1]}."
        )
        yield from self._source_text(f"{self._source}_LABELS", proposal.label_source, proposal.labels, known)

    def _source_text(self, constant: str, name: str, columns: Sequence[Column], time: Column) -> Iterator[str]:
        proposal, why = self._proposal, self._proposal.roles.why
        topic = self._topic.topic if self._topic else f"{proposal.project}.{name}".replace("_", "-")
        yield f"{constant} = EventSource("
        yield f"    name={literal(name)},"
        yield f"    topic={literal(topic)},"
        yield "    fields=("
        for each in columns:
            origin = "" if each.name == each.field else f"column {plain(each.name)}; "
            yield from comment(f"guessed: {origin}{each.why}.", 8)
            if each.name in proposal.doubts and each not in proposal.numbers:
                yield from self._doubt(each)
            optional = ", optional=True" if each.optional else ""
            unit = f", unit={literal(unit_of(each.name))}" if _is_measure(each) and unit_of(each.name) else ""
            yield f"        Field({literal(each.field)}, {spelled(each)}{optional}{unit}),"
        yield "    ),"
        yield from comment(f"{_how(why['id'])}: {why['id']}.", 4)
        yield f"    event_id={literal(proposal.roles.id.field)},"
        reason = why["label_time"] if time is proposal.roles.label_time else why["time"]
        yield from comment(f"{_how(reason)}: {reason}.", 4)
        yield f"    event_time={literal(time.field)},"
        if self._topic and self._topic.format != "json":
            yield f"    format={literal(self._topic.format)},"
        elif nested := [each for each in columns if each.is_nested]:
            first = nested[0]
            yield from comment(f"guessed: objects hold objects, so {plain(first.name)} is the field {first.field}.", 4)
            yield f"    format={literal(NESTED_JSON)},"
        yield ")"
        yield ""

    def _group_text(self) -> Iterator[str]:
        proposal = self._proposal
        (short, _), (middle, _), (long, _) = proposal.window_lengths
        gap = spelled_length(proposal.usual_gap_us)
        yield from comment(f"guessed: windows that hold some events; two events of one {proposal.entity} are usually "
                            f"{gap} apart." if proposal.usual_gap_us else
                            "guessed: windows of any kind; no two events of one entity are known.")  # fmt: skip
        yield f"{self._group} = FeatureGroup("
        yield f"    name={literal(f'{proposal.entity}_{proposal.source}')},"
        yield "    version=1,"
        yield f"    entity={self._entity},"
        yield f"    sources=({self._source},),"
        yield "    aggregates=("
        yield f"        Aggregate(None, Count(), windows=({short}, {middle}, {long})),"
        for each in proposal.measures:
            yield f"        Aggregate({literal(each.field)}, Mean(), windows=({middle}, {long})),"
        if proposal.measures:
            yield f"        Aggregate({literal(proposal.measures[0].field)}, Max(), windows=({long},)),"
        if proposal.category:
            yield f"        Aggregate({literal(proposal.category.field)}, ApproxDistinct(), windows=({long},)),"
        yield f"        Aggregate(None, TimeSinceLast(), windows=({long},)),"
        yield "    ),"
        yield ")"

    def _functions(self) -> Iterator[str]:
        if self.over:
            field, long = self._proposal.measures[0].field, self._proposal.window_lengths[2][1]
            value = f"{self._proposal.source}__{field}"
            mean = f"{self._proposal.entity}_{self._proposal.source}__{field}_mean_{long}"
            yield from ("", "", f"def {self.over}({value}: Any, {mean}: Any) -> Any:")
            usual = f"the usual {field} of the {self._proposal.entity}"
            if self._is_signed:
                yield f'    """By how much this one is above {usual}. NaN without history."""'
                yield f"    return np.subtract({value}, {mean})"
            else:
                yield f'    """How many times {usual} this one is. NaN without history."""'
                yield f"    return np.divide({value}, {mean})"
        yield from ("", "", f"def {self.hour}(as_of_us: Any) -> Any:")
        yield '    """The hour of the day, UTC: 0 to 23."""'
        yield "    return np.floor_divide(np.mod(as_of_us, 86_400_000_000), 3_600_000_000)"
        yield from ("", "")

    def _view(self) -> Iterator[str]:
        proposal = self._proposal
        yield f"{self._source}_VIEW = FeatureView("
        yield f"    name={literal(proposal.project)},"
        yield "    version=1,"
        yield f"    source={self._source},"
        yield "    features=("
        if proposal.roles.label and proposal.numbers:
            yield from comment("TO DO: is each of these known before the outcome? Remove what is not.", 8)
        for number in proposal.numbers:
            yield from self._doubt(number)
            yield f"        {literal(number.field)},"
        for each in (self._group, self.over, self.hour):
            if each:
                yield f"        {each},"
        yield "    ),"
        if proposal.roles.label:
            yield from label_lines(proposal, proposal.roles.label, f"{self._source}_LABELS")
        yield ")"

    def _doubt(self, column: Column) -> Iterator[str]:
        """A comment beside a column that may be known only after the outcome."""
        if why := self._proposal.doubts.get(column.name):
            yield from comment(f"TO DO: it may be known only after the outcome: {why}. If so, remove it.", 8)


def _is_measure(column: Column) -> bool:
    return isinstance(column.type, Decimal | Integer)


def _how(why: str) -> str:
    return "said" if why.startswith("you named it") else "guessed"


def _is_signed(column: Column) -> bool:
    """Whether it may be below zero: then no value is a multiple of another."""
    return isinstance(column.type, Decimal | Integer) and column.type.low < 0


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_now"
    return name
