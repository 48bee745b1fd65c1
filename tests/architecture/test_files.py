"""What must not be in a committed file, and that the lock file is in step."""

import re
import tomllib

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.source_tree import ROOT, text_files

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())

# Put together here, so that this file does not hold what it looks for.
REGISTRIES = re.compile(
    "|".join(
        re.escape(".".join(parts))
        for parts in (
            ("pypi", "org"),
            ("files", "pythonhosted"),
            ("repo1", "maven"),
            ("repo", "maven"),
            ("registry", "npmjs"),
            ("ghcr", "io"),
            ("quay", "io"),
            ("proxy", "golang"),
        )
    )
)
OF_ONE_MACHINE = re.compile(r"(?<![\w.$}~:-])/(?:home|Users|root|work|tmp)/\w")


def test_no_file_names_a_registry_or_a_path_of_one_machine() -> None:
    """A clone works wherever it lies, through whatever mirror its machine is set to."""
    found = [
        f"{name}:{number}: {line.strip()[:120]}"
        for name, text in text_files()
        for number, line in enumerate(text.splitlines(), start=1)
        if REGISTRIES.search(line) or OF_ONE_MACHINE.search(line)
    ]
    assert not found, "\n".join(found)


APART = ("boosting.lock", "spark.lock")
LOCKS = ("requirements.lock", *APART, "s3-server.lock")


def locked_requirements(name: str) -> list[Requirement]:
    lines = (ROOT / name).read_text().splitlines()
    return [Requirement(line.removesuffix("\\")) for line in lines if line and line[0] not in "# "]


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_file_has_its_hash_and_no_address(name: str) -> None:
    lock = (ROOT / name).read_text()
    assert "://" not in lock
    assert not re.search(r"^-", lock, re.MULTILINE), "an option such as an index or an editable path"
    blocks = re.split(r"^(?=[^\s#])", lock, flags=re.MULTILINE)[1:]
    without = [block.splitlines()[0] for block in blocks if "--hash=sha256:" not in block]
    assert not without


def locked_versions(name: str, python: str) -> dict[str, str]:
    """Distribution -> version on Linux with this Python."""
    system = {
        "python_version": python,
        "python_full_version": f"{python}.9",
        "sys_platform": "linux",
        "platform_python_implementation": "CPython",
    }
    return {
        canonicalize_name(r.name): next(iter(r.specifier)).version
        for r in locked_requirements(name)
        if r.marker is None or Marker(str(r.marker)).evaluate(system)
    }


@pytest.mark.parametrize("python", ["3.11", "3.12"])
def test_the_lock_files_answer_pyproject(python: str) -> None:
    """`./run lock` was run after the dependencies changed, for both Pythons."""
    project = PYPROJECT["project"]
    lines = [line for extra in project["optional-dependencies"].values() for line in extra]
    lines += [*project["dependencies"], *PYPROJECT["build-system"]["requires"]]
    locked = locked_versions(LOCKS[0], python)
    for lock in APART:
        apart = locked_versions(lock, python)
        other = {name: (apart[name], locked[name]) for name in apart.keys() & locked if apart[name] != locked[name]}
        assert not other, f"{lock} has other versions than {LOCKS[0]}"
        locked |= apart
    unanswered = [
        str(r)
        for r in map(Requirement, lines)
        if r.name != "millrace" and not r.specifier.contains(locked.get(canonicalize_name(r.name), "0"))
    ]
    assert not unanswered, f"run ./run lock: {unanswered}"
