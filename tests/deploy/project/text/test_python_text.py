"""What comes from outside stays a text, a comment or a docstring: none of it becomes code."""

import ast
import tokenize
from io import BytesIO

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import shared_features
from deploy.project.columns.column import look_at
from deploy.project.text.python_text import comment, literal, plain, spelled

TEXTS = st.text(st.characters(codec="utf-8"), max_size=300)


@given(TEXTS)
@example('"""\\\n\r\u2028#')
def test_a_literal_is_the_text(text):
    assert ast.literal_eval(literal(text)) == text
    assert "\n" not in literal(text)


@given(TEXTS)
@example('"""\nimport os\n\\')
@example("\x00")
def test_a_name_from_outside_does_not_end_a_docstring(text):
    module = ast.parse(f'"""Proposed from {plain(text)}: read it."""')
    assert len(module.body) == 1
    assert ast.get_docstring(module)


@given(st.text(st.characters(codec="ascii"), max_size=300), st.sampled_from([0, 4, 8]))
@example("a\nimport os", 0)
@example("word " * 60, 8)
@example("a\x00b", 0)
def test_a_comment_is_nothing_but_comments_that_fit_a_line(text, indent):
    lines = list(comment(text, indent))
    assert all(len(line) <= 120 for line in lines)
    kinds = {token.type for token in tokenize.tokenize(BytesIO("\n".join(lines).encode()).readline)}
    assert kinds <= {tokenize.ENCODING, tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.ENDMARKER}
    ast.parse("\n".join(lines))
    said = "".join(line.strip()[2:] for line in lines).replace(" ", "")
    assert said == "".join(each for each in text if each.isprintable() and not each.isspace())


@pytest.mark.parametrize(
    "values",
    [["12.50", "-3"], [0.125, None], [3, 4], [-3, 4], ["yes", "no"], ["Lyon", "Nice"], ["2026-01-05T10:00:00Z"]],
)
def test_a_type_is_spelled_as_the_code_that_builds_it(values):
    column = look_at("a", "a", values)
    names = {name: getattr(shared_features, name) for name in shared_features.__all__}
    assert eval(spelled(column), names) == column.type  # of our own making


def test_a_time_in_numbers_is_spelled_with_its_unit():
    column = look_at("event_time", "event_time", [1_767_000_000])
    assert spelled(column) == 'Timestamp("s")'
