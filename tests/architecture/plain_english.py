"""A lint of the words that people read. `python -m tests.architecture.plain_english` says what to write instead.

It reads pages, help texts, messages, docstrings and comments. It keeps out habits that a tired reader, or one whose
first language is not English, stumbles over. Names of functions and variables are left to the glossary.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator

from tests.architecture.source_tree import text_files

# What has been gone through: pages, and the packages whose texts are plain. A file below these names is checked.
CHECKED = (
    "README.md",
    "CHANGELOG.md",
    "docs/",
    "run",
    "deploy/",
    "streaming/",
    "tests/packaging/",
    "training/",
    "serving/",
    "shared_features/",
)

# The habit, as a regular expression, and what to write instead.
HABITS: dict[str, str] = {
    r"anew": "again, re-created, rebuilt, restarted",
    r"(set|sets|setting|put|puts) back": "rolled back (a store), restored (what was removed)",
    r"of before": "earlier, previous",
    r"(?<!there )(is|are|was|were) no(?! longer| more)": "is not a ..., or: there is no ...",
    r"(?<!there )(is|are|was|were) (?-i:none)": "there is no ..., is missing, is not a ...",
    r"(is|are|was|were) away": "is unavailable",
    r"not there": "missing",
    r"ma(d|k)e of (it|them|that|this|what)": "built from ... (name the thing)",
    r"the ones? before": "the previous ... (name the thing)",
    r"so who": "so (name who or what)",
    r"whoever": "the process that, the reader that, everybody who",
    r"who (knows|meets|comes|takes|finds)": "say what is unknown, or name who",
    r"(come|comes|came|comes in) late, then": "one sentence each: the event is late; its row is added afterwards",
    r"(go|goes|going|went) on": "continue",
    r"following pass": "a later pass",
    r"from the beginning on": "from the beginning",
    r"says? who": "names",
    r"what (of|becomes of|is of|has become of) (it|the|them|that)": "which part of ..., what happens to ...",
    r"(is|are|be|was|were) put together": "compacted (files), joined (texts, arrays)",
    r"(is|are|was|were) dealt|deals? (out|the)": "is distributed, is assigned",
    r"has to build": "is rebuilt",
    r"all the same": "nevertheless; or say the condition",
    r"in its stead|in their stead": "instead",
    r"whence|thereof|whereof|therein|hence|hitherto|henceforth": "a plainer word",
}  # fmt: skip
_HABIT = {re.compile(rf"\b(?:{habit})\b", re.IGNORECASE): instead for habit, instead in HABITS.items()}
_ANY_HABIT = re.compile("|".join(rf"\b(?:{habit})\b" for habit in HABITS), re.IGNORECASE)


def complaints() -> list[str]:
    """`file:line: the words; write: ...` for each habit in a file that is checked."""
    return [
        f"{name}:{line}: {found!r}; write: {instead}"
        for name, text in text_files()
        if name.startswith(CHECKED)
        for line, words in _texts(name, text)
        for found, instead in habits_in(words)
    ]


def habits_in(words: str) -> Iterator[tuple[str, str]]:
    """Each habit that stands in a text, and what to write instead."""
    words = " ".join(words.split())
    if _ANY_HABIT.search(words):
        for habit, instead in _HABIT.items():
            yield from ((found.group(), instead) for found in habit.finditer(words))


def _texts(name: str, text: str) -> Iterator[tuple[int, str]]:
    """(line, text) of everything in a file that people read. A sentence may run over several lines."""
    if not name.endswith(".py"):
        yield from _paragraphs(text)
        return
    yield from _comments(text)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.JoinedStr):
            yield (
                node.lineno,
                "".join(str(each.value) if isinstance(each, ast.Constant) else "{}" for each in node.values),
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def _paragraphs(text: str) -> Iterator[tuple[int, str]]:
    line = 1
    for paragraph in re.split(r"(\n\s*\n)", text):
        yield line, paragraph
        line += paragraph.count("\n")


def _comments(text: str) -> Iterator[tuple[int, str]]:
    """Comments on lines that follow each other are one text."""
    start, words, last = 0, "", -1
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            if token.start[0] != last + 1:
                yield start, words
                start, words = token.start[0], ""
            words, last = f"{words} {token.string.lstrip('# ')}", token.start[0]
    yield start, words


if __name__ == "__main__":
    found = complaints()
    sys.exit("\n".join(found) or 0)
