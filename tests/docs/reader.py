"""A reader of a page, who saves its files, pastes its shell blocks and compares what it shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.architecture.source_tree import ROOT
from tests.docs.pages import Block

AT_THE_END = ", at the end"
_WITHIN_S = 900.0
_BIN = Path(sys.executable).parent


@dataclass
class Reader:
    """Stands in `folder`, in one shell: what a block exports, later blocks have."""

    folder: Path
    said: str = ""
    _environment: dict[str, str] = field(default_factory=lambda: dict(_environment()))

    def follow(self, block: Block) -> None:
        """Do what the block is for."""
        if block.title:
            self.save(block)
        elif block.language == "sh":
            self.said = self.paste(block.code, str(block))
        elif block.language == "python":
            (self.folder / ".block.py").write_text(block.code, encoding="utf-8")
            self.said = self.paste("python -W error .block.py", str(block))
        elif block.language == "text":
            self.compare(block)

    def save(self, block: Block) -> None:
        name = block.title.removesuffix(AT_THE_END)
        with (self.folder / name).open("a" if name != block.title else "w", encoding="utf-8") as file:
            file.write(block.code)

    def paste(self, code: str, where: str = "") -> str:
        """What the commands say. The first one that fails fails the test."""
        kept = self.folder / ".environment"
        script = f"set -e\n{code}\nenv -0 > {kept.name}\n"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_WITHIN_S,
            check=False,
        )
        assert done.returncode == 0, f"{where}:\n{done.stdout}"
        pairs = kept.read_text(encoding="utf-8").split("\0")
        self._environment = dict(pair.split("=", 1) for pair in pairs if pair)
        return done.stdout

    def compare(self, block: Block) -> None:
        """Each line that the page shows was said. Numbers, times and addresses may differ."""
        said = {_shape(line) for line in self.said.splitlines()}
        unsaid = [line for line in block.code.splitlines() if _shape(line) not in said]
        assert not unsaid, f"{block}: not said: {unsaid}\n{self.said}"


def _environment() -> dict[str, str]:
    """That of somebody who has nothing of Millrace's but the commands."""
    ours = ("MILLRACE_", "KAFKA_", "REDIS_", "PYTEST_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept | {"PATH": f"{_BIN}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}


def _shape(line: str) -> str:
    """The line without what differs from run to run."""
    words = re.sub(r"~?/\S+/", "/", line).split()
    return " ".join(
        re.sub(r"^[\d.,:TZ-]*\d[\d.,:TZ-]*", "0", re.sub(r"(?<=[:/])\d[\d./:]*", "0", word)) for word in words
    )
