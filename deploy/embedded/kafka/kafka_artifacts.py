"""Apache Kafka's jars, fetched once by Maven from `deploy/kafka/pom.xml` and kept by the pom's hash."""

from __future__ import annotations

import functools
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from deploy.embedded.errors import EmbeddedError

POM = Path(__file__).parents[2] / "kafka" / "pom.xml"
_ROOT = Path(__file__).parents[3]
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
LIBRARIES = (_ROOT / "var" if (_ROOT / "pyproject.toml").exists() else _CACHE / "millrace") / "kafka" / "libs"
"""In a checkout they lie in `var`; an installation must not write beside the packages."""
_JAVA_AT_LEAST = 17
_FETCHED_WITHIN_S = 600.0


def missing(libraries: Path = LIBRARIES) -> list[str]:
    """What keeps Apache Kafka from starting here, as sentences; empty when nothing does."""
    return [
        *_java_missing(),
        *(
            []
            if are_fetched(libraries) or shutil.which("mvn")
            else ["Maven (`mvn`), which fetches Apache Kafka once, is not on the path: install `maven`."]
        ),
    ]


def are_fetched(libraries: Path = LIBRARIES) -> bool:
    """Whether the jars of this pom lie there."""
    return _folder(libraries).exists()


def fetch_libraries(libraries: Path = LIBRARIES) -> Path:
    """The folder of jars, fetched when this pom's are still missing (43 MB). Raises EmbeddedError."""
    folder = _folder(libraries)
    if folder.exists():
        return folder
    libraries.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetching-", dir=libraries) as beside:
        jars = Path(beside) / "jars"
        goal = [
            "dependency:copy-dependencies",
            "-DincludeScope=runtime",
            f"-DoutputDirectory={jars.resolve()}",
        ]
        command = ["mvn", "-q", "-B", "-Dstyle.color=never", "-f", str(POM), *goal]
        try:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_FETCHED_WITHIN_S
            )
        except subprocess.TimeoutExpired:
            raise EmbeddedError(f"Maven did not fetch Apache Kafka within {_FETCHED_WITHIN_S:g} s; try again") from None
        if done.returncode != 0 or not any(jars.glob("kafka_*.jar")):
            last = "\n".join(line for line in done.stdout.splitlines() if line.startswith("[ERROR] Failed"))
            raise EmbeddedError(f"Maven could not fetch Apache Kafka: {last or done.stdout[-1000:] or done.stderr}")
        try:
            jars.rename(folder)
        except OSError:
            # Somebody else fetched them meanwhile.
            if not folder.exists():
                raise
    return folder


def java() -> str:
    """The java to run: JAVA_HOME's, else the path's. Raises EmbeddedError without either."""
    home = os.environ.get("JAVA_HOME")
    of_home = None if home is None else shutil.which("java", path=str(Path(home) / "bin"))
    found = of_home or shutil.which("java")
    if found is None:
        raise EmbeddedError(f"Java {_JAVA_AT_LEAST} or newer is not on the path: install a JRE of that version.")
    return found


def _folder(libraries: Path) -> Path:
    return libraries / hashlib.sha256(POM.read_bytes()).hexdigest()[:12]


def _java_missing() -> list[str]:
    try:
        version = _java_version(java())
    except EmbeddedError as error:
        return [str(error)]
    if version is None:
        return [f"`{java()} -version` names no version: install a JRE, {_JAVA_AT_LEAST} or newer."]
    if version < _JAVA_AT_LEAST:
        return [f"Java is version {version}; Apache Kafka 4 needs {_JAVA_AT_LEAST} or newer."]
    return []


@functools.cache
def _java_version(command: str) -> int | None:
    """17 of `openjdk version "17.0.15"`; 8 of "1.8.0_402"."""
    told = subprocess.run([command, "-version"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    found = re.search(r'version "(?:1\.)?(\d+)', told.stderr + told.stdout)
    return int(found.group(1)) if found else None
