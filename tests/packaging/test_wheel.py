"""The wheel holds all that the packages need, and nothing else."""

import zipfile

import pytest

from tests.architecture.source_tree import PACKAGES, ROOT, project_files
from tests.packaging.wheel import build_wheel

SHIPPED = (*PACKAGES, "deploy")
"""`deploy` too: `millrace up` needs the parts that a laptop lacks."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    with zipfile.ZipFile(build_wheel(tmp_path_factory.mktemp("wheel"))) as archive:
        yield archive


def test_every_file_of_the_packages_lies_in_the_wheel(wheel):
    """Scripts, pages and `py.typed` too: a checkout has them in any case, an installation only from here."""
    ours = {path.relative_to(ROOT).as_posix() for path in project_files()}
    wanted = {name for name in ours if name.startswith(tuple(f"{package}/" for package in SHIPPED))}
    assert not wanted - set(wheel.namelist())


def test_nothing_but_the_packages_is_installed(wheel):
    """Tests and stray folders would be installed beside everybody's packages."""
    tops = {name.partition("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(SHIPPED)


@pytest.mark.parametrize("package", SHIPPED)
def test_type_checkers_are_told_that_the_packages_have_types(wheel, package):
    assert f"{package}/py.typed" in wheel.namelist()


def test_the_one_command_and_the_three_programs_are_scripts(wheel):
    (name,) = (each for each in wheel.namelist() if each.endswith("/entry_points.txt"))
    scripts = wheel.read(name).decode()
    for script in ("millrace", "millrace-stream", "millrace-train", "millrace-serve"):
        assert f"{script} = " in scripts
