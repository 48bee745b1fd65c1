"""The tutorial and the guides, word for word: files saved, shell blocks pasted one after another, output compared."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.stack.processes import is_running
from deploy.local.stack.stack_directory import StackDirectory
from tests.architecture.source_tree import ROOT
from tests.depth import cases
from tests.docs.pages import Block, page
from tests.docs.reader import Reader

pytestmark = pytest.mark.slow

GUIDES = ("read-from-python", "debug-a-value", "bring-history", "second-version", "add-a-feature", "send-events")
"""In this order: a later one finds in the stack what an earlier one left there."""
SHORT_GUIDES = ("read-from-python", "bring-history", "add-a-feature")
NOTHING_TO_RUN = ("index", "my-kafka-and-redis")
RUNS_ALONE = (
    *("correct-events", "encode-and-calibrate", "mlflow", "notebook", "own-models", "pipelines", "proofs", "ratios"),
    *("labels", "log-and-train", "open-inference-protocol", "registry-on-s3", "score-the-stream", "who-may-ask"),
)
"""Without a stack: in tests of their own."""


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """In an empty folder. Whatever is left there ends with the module."""
    reader = Reader(tmp_path_factory.mktemp("shop"))
    yield reader
    if stack(reader).supervisor() is not None:
        reader.paste("millrace down")


def stack(reader: Reader) -> StackDirectory:
    return StackDirectory(reader.folder / "var" / "stack")


def blocks(name: str) -> list[Block]:
    return [block for block in page(name).blocks() if block.kind != "not run"]


def until_the_end() -> tuple[list[Block], list[Block]]:
    """The tutorial, in two: the guides begin before its last shell block, which ends the stack."""
    whole = blocks("docs/tutorial.md")
    last = max(place for place, block in enumerate(whole) if block.language == "sh")
    return whole[:last], whole[last:]


@pytest.fixture(scope="module")
def shop(reader: Reader) -> Reader:
    """Who has followed the tutorial."""
    for block in until_the_end()[0]:
        reader.follow(block)
    return reader


def test_the_tutorial_runs_as_it_is_pasted(shop: Reader) -> None:
    assert stack(shop).standing() is not None


@pytest.mark.parametrize("guide", cases(GUIDES, quick=SHORT_GUIDES))
def test_a_guide_runs_on_the_stack_of_the_tutorial(shop: Reader, guide: str) -> None:
    for block in blocks(f"docs/how-to/{guide}.md"):
        shop.follow(block)


def test_the_last_step_leaves_no_process(shop: Reader) -> None:
    standing = stack(shop).standing()
    assert standing is not None
    processes = [(part.pid, part.started) for part in standing.parts if part.pid is not None]
    assert len(processes) >= 4
    for block in until_the_end()[1]:
        shop.follow(block)
    assert not [pid for pid, started in processes if is_running(pid, started)]


def test_every_guide_is_followed() -> None:
    guides = {path.stem for path in Path(ROOT, "docs", "how-to").glob("*.md")}
    assert guides == {*GUIDES, *NOTHING_TO_RUN, *RUNS_ALONE}
    assert not [block for name in NOTHING_TO_RUN for block in blocks(f"docs/how-to/{name}.md")]
