"""Links lead somewhere, commands are those of the programs, and code on a page runs as it stands."""

from __future__ import annotations

import contextlib
import importlib
import io
import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from deploy.command_line import VERBS
from deploy.demo.options import parse_options as demo_options
from deploy.local.commands.options import parse_options as local_options
from deploy.project.options import parse_options as new_options
from serving.client.predict_command import build_parser as predict_parser
from shared_features.access.key_commands import key_options
from streaming.command_line import build_parser as streaming_parser
from tests.architecture.source_tree import ROOT
from tests.docs.pages import Block, Page, pages
from training.command_line import build_parser as training_parser

PAGES = {page.name: page for page in pages()}
BLOCKS = [block for page in PAGES.values() for block in page.blocks()]
RUNS_SHELL = {"docs/tutorial.md"}
"""Pages whose shell blocks a test pastes one after another."""
PARSERS: dict[str, Callable[[Sequence[str]], object]] = {
    "streaming": lambda words: streaming_parser().parse_args(words),
    "training": lambda words: training_parser().parse_args(words),
    "serving": lambda words: not words or _serving_options(words),
    "deploy.local": lambda words: _predict_options(words) if words[:1] == ["predict"] else local_options(words),
    "deploy.project": new_options,
    "deploy.demo": demo_options,
}


def _predict_options(words: Sequence[str]) -> object:
    return predict_parser().parse_args(words[1:])


def _serving_options(words: Sequence[str]) -> object:
    return key_options(words[1:], "keys") if words[:1] == ["keys"] else _predict_options(words)


OF_RUN_ALONE = ("exec", "test", "check", "bench", "chaos", "package", "lock", "docs")
"""Verbs of `./run` that are none of `millrace`."""


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_to_a_file_and_an_anchor(name: str) -> None:
    broken = []
    for link in PAGES[name].links():
        target, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", link):
            continue
        path = (PAGES[name].path.parent / target).resolve() if target else PAGES[name].path
        page = PAGES.get(path.relative_to(ROOT).as_posix()) if path.is_relative_to(ROOT) else None
        if not path.exists() or (anchor and (page is None or anchor not in page.anchors())):
            broken.append(link)
    assert not broken


@pytest.mark.parametrize("name", [name for name in PAGES if name.startswith("docs/")])
def test_a_page_of_the_site_links_to_pages_of_the_site(name: str) -> None:
    """What lies outside of docs/ is no part of the site: name it in code instead."""
    outside = [link for link in PAGES[name].links() if link.startswith("../") and not _inside(PAGES[name], link)]
    assert not outside


def _inside(page: Page, link: str) -> bool:
    return (page.path.parent / link.partition("#")[0]).resolve().is_relative_to(ROOT / "docs")


def test_every_attack_of_the_page_on_security_is_made_by_a_test() -> None:
    named = re.findall(r"`(test_\w+)`", PAGES["docs/security.md"].text)
    tests = (ROOT / "tests").rglob("test_*.py")
    written = {name for each in tests for name in re.findall(r"def (test_\w+)", each.read_text(encoding="utf-8"))}
    assert len(named) > 40
    assert set(named) <= written


def test_every_block_of_code_runs_or_says_why_not() -> None:
    unsaid = [
        str(block)
        for block in BLOCKS
        if block.language in ("sh", "bash") and not block.kind and block.page not in RUNS_SHELL
    ]
    assert not unsaid, "write <!-- not run: WHY --> or <!-- run by: TEST --> above the block"


@pytest.mark.parametrize("block", [each for each in BLOCKS if each.kind == "run by"], ids=str)
def test_the_test_that_runs_a_block_exists(block: Block) -> None:
    assert (ROOT / block.text).is_file()


WITH_PYTHON = [name for name, page in PAGES.items() if any(each.language == "python" for each in page.blocks())]


@pytest.mark.parametrize("name", WITH_PYTHON)
def test_the_python_blocks_of_a_page_are_a_module(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As its reader has them: one after another in a file. A line of the file is that of the page."""
    text = ""
    for block in PAGES[name].blocks():
        if block.language == "python" and not block.kind:
            text += "\n" * (block.line - text.count("\n")) + block.code
    module = f"page_{Path(name).stem.replace('-', '_')}"
    (tmp_path / f"{module}.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.import_module(module)


def test_the_corrections_of_a_file_are_split_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The script of the guide: each order once, and with its corrections the sum of what is known in the end."""
    (script,) = [each for each in PAGES["docs/how-to/correct-events.md"].blocks() if each.kind == "run by"]
    header = "order_no,placed,received,shop,amount\n"
    at = "2026-09-01T10:00:00Z"
    rows = (f"a,{at},2026-09-01T10:00:05Z,s1,10.00", f"b,{at},2026-09-01T10:00:06Z,s2,7.10",
            f"a,{at},2026-09-01T12:00:00Z,s1,9.00", f"a,{at},2026-09-01T13:00:00Z,s1,9.50",
            f"b,{at},2026-09-01T14:00:00Z,s2,7.10")  # fmt: skip
    (tmp_path / "orders.csv").write_text(header + "\n".join(reversed(rows)) + "\n")
    monkeypatch.chdir(tmp_path)
    exec(compile(script.code, script.title, "exec"), {})  # the page's own block
    assert (tmp_path / "orders_once.csv").read_text().splitlines() == [header.strip(), *rows[:2]]
    assert (tmp_path / "corrections.csv").read_text().splitlines() == [
        "correction,placed,received,shop,change",
        f"a-2,{at},2026-09-01T12:00:00Z,s1,-1.00",
        f"a-3,{at},2026-09-01T13:00:00Z,s1,0.50",
    ]


def commands(block: Block) -> Iterator[list[str]]:
    """`python -m streaming ...`, `python -m training ...` and `millrace ...` of a shell block: program, arguments."""
    for line in block.code.replace("\\\n", " ").splitlines():
        for words in simple_commands(line):
            at = next((at for at, word in enumerate(words) if word in PARSERS and words[at - 1 : at] == ["-m"]), None)
            if "..." in words or any("$" in word for word in words):  # the person or the shell fills it in
                continue
            if at is not None:
                yield words[at:]
            elif words[:1] in (["millrace"], ["./run"]) and words[1:] and words[1] not in OF_RUN_ALONE:
                yield [*(VERBS[words[1]].program if words[1] in VERBS else words[1:2]), *words[2:]]


def simple_commands(line: str) -> Iterator[list[str]]:
    """The words of each command of a line, without redirections."""
    tokens = shlex.shlex(line, posix=True, punctuation_chars=True)
    tokens.whitespace_split = True
    words: list[str] = []
    redirected = False
    for token in tokens:
        if set(token) <= set("();&|"):
            yield words
            words = []
        elif set(token) <= set("<>&"):
            redirected = True
        elif redirected:
            redirected = False
        else:
            words.append(token)
    yield words


COMMANDS = [(block, command) for block in BLOCKS if block.language in ("sh", "bash") for command in commands(block)]


@pytest.mark.parametrize(("block", "command"), COMMANDS, ids=[f"{b} {' '.join(c)}" for b, c in COMMANDS])
def test_the_programs_take_every_command_of_a_page(block: Block, command: list[str]) -> None:
    """Also of a block that is not run: a verb or an option that is gone is found here."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            PARSERS[command[0]](command[1:])
    except SystemExit:
        pytest.fail(f"{block}: {' '.join(command)}: {said.getvalue()}")


def test_headings_become_anchors_as_on_github() -> None:
    page = Page("a.md", "# `online`: a compare-and-set\n## Twice\n## Twice\n```sh\n# not a heading\n```\n")
    assert page.anchors() == {"online-a-compare-and-set", "twice", "twice-1"}


def test_a_mark_belongs_to_the_block_below_it() -> None:
    page = Page("a.md", "<!-- not run: it is\nlong -->\n```sh\nls\n```\n\n```sh\nls\n```\n")
    assert [block.kind for block in page.blocks()] == ["not run", ""]
