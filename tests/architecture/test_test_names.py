"""A test module is named after the module it tests: `tests/streaming/lake/test_handle.py` after `lake/handle.py`."""

from pathlib import PurePosixPath

from tests.architecture.source_tree import PACKAGES, ROOT, project_files

OF_MORE_THAN_ONE_MODULE = {
    "tests/serving/test_side_by_side.py": "versions of models beside each other, over the whole service",
    "tests/streaming/operations/erasure/test_erased_files.py": "what stays on the disk, over several commands",
    "tests/training/datasets/test_labels_by_absence.py": "labels that nobody sent, from the definition to the step",
    "tests/training/datasets/test_labels_of_several_sources.py": "sources and windows of labels, up to exports",
    "tests/training/datasets/test_labels_of_later_events.py": "labels of later events, from the definition to exports",
    "tests/training/datasets/exports/test_labels_of_folds.py": "labels that come late, of exports and of runs",
    "tests/training/service/page/test_in_a_browser.py": "the page with its script, clicked through",
    "tests/streaming/scores/test_audited_scores.py": "scores of the stream job, through the parts of an audit",
    "tests/streaming/operations/test_other_formats.py": "one event format through every command",
}


def test_a_test_module_is_named_after_the_module_it_tests() -> None:
    names = {path.relative_to(ROOT).as_posix() for path in project_files()}
    tests = [PurePosixPath(name) for name in names if PurePosixPath(name).match("test_*.py")]
    mirrored = [test for test in tests if test.parts[1] in (*PACKAGES, "deploy") and len(test.parts) > 2]
    assert len(mirrored) > 100
    tested = {str(test): PurePosixPath(*test.parts[1:-1], test.name.removeprefix("test_")) for test in mirrored}
    strangers = {
        test
        for test, module in tested.items()
        if not {str(module), str(module.with_name(f"__{module.stem}__.py"))} & names
    }
    assert strangers == set(OF_MORE_THAN_ONE_MODULE)
