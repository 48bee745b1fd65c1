import json
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from shared_features.formats.model_manifest import CHAMPION, METRICS_FILE, MODEL_FILE, TREES_FILE
from tests.full_disk import files_end_at
from tests.serving.published_models import boosted, fitted
from tests.shared_features.formats.test_dataset_manifest import DATASET
from tests.shared_features.formats.test_model_manifest import MANIFEST
from training.registry.aliases import Aliases
from training.registry.versions import Registry

FILES = {"model.onnx", "manifest.json", "metrics.json", "dataset.json"}


def publish(registry, digest="d1", entity="customer", **changes):
    manifest = replace(MANIFEST, model_digest=digest, **changes)
    return registry.publish(manifest, b"graph of " + digest.encode(), {"roc_auc": 0.9, "entity": entity}, DATASET)


def test_versions_count_up_and_hold_all_files(tmp_path):
    registry = Registry(tmp_path)
    assert [publish(registry, each).version for each in ("d1", "d2", "d3")] == [1, 2, 3]
    assert registry.versions("card_fraud") == [1, 2, 3]
    for version in (1, 2, 3):
        assert {each.name for each in Path(registry.where("card_fraud", version)).iterdir()} == FILES
        assert registry.manifest("card_fraud", version).version == version
    assert (Path(registry.where("card_fraud", 2)) / MODEL_FILE).read_bytes() == b"graph of d2"


def test_a_registry_shows_where_it_lies_also_while_there_is_nothing(tmp_path):
    assert repr(Registry(tmp_path / "none")) == f"Registry in {tmp_path / 'none'}"


def test_the_same_model_is_published_once(tmp_path):
    registry = Registry(tmp_path)
    first, again = publish(registry), publish(registry)
    assert (first.new, again.new, again.version) == (True, False, 1)
    other_meaning = replace(MANIFEST.view, fingerprint="0" * 16)
    assert publish(registry, view=other_meaning).version == 2


def test_the_metrics_and_the_rows_beside_a_version_are_of_the_run_that_published_it(tmp_path):
    """Of a run with another --entity it was said that the model is there already; the old metrics stood beside it."""
    registry = Registry(tmp_path)
    assert publish(registry).version == 1
    other = publish(registry, entity="terminal")
    assert (other.version, other.new) == (2, True)
    assert json.loads((Path(other.where) / METRICS_FILE).read_text())["entity"] == "terminal"
    assert publish(registry, dataset_digest="ef" * 32).version == 3
    assert publish(registry).version == 1


def test_a_version_without_its_trees_is_another_one_than_with_them(tmp_path):
    """A model of an earlier release could not be published again: the same model was published before, it was said."""
    registry, graph, asked = Registry(tmp_path), boosted(2), []

    def made():
        asked.append(1)
        return {TREES_FILE: b"trees"}

    def published(**changes):
        return registry.publish(replace(MANIFEST, **changes), graph, {}, DATASET, made=made)

    without = registry.publish(MANIFEST, graph, {}, DATASET)
    found = [(each.version, each.new) for each in (without, published(), published())]
    assert found == [(1, True), (2, True), (2, False)]
    assert len(asked) == 1, "trees are tried only where they are missing"
    assert registry.publish(MANIFEST, graph, {}, DATASET).version == 2, "a version that has more is the same model"
    assert [published(rows_share_runs=each).version for each in (True, True, False)] == [3, 3, 3]


def test_a_model_without_trees_is_not_asked_for_them_when_it_is_there(tmp_path):
    registry, asked = Registry(tmp_path), []

    def made():
        asked.append(1)
        return {}

    for _ in range(3):
        registry.publish(MANIFEST, fitted(2, 0), {}, DATASET, made=made)
    assert (registry.versions("card_fraud"), len(asked)) == ([1], 1)


def test_publishers_at_once_get_numbers_of_their_own(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda number: publish(Registry(tmp_path), f"d{number}").version, range(24)))
    assert sorted(found) == list(range(1, 25))
    registry = Registry(tmp_path)
    assert {registry.manifest("card_fraud", version).version for version in found} == set(found)


def test_a_disk_that_is_full_at_any_byte_leaves_no_half_version_and_the_next_publication_is_one(tmp_path):
    outcomes = set()
    for room in (0, 15, 40, 300, 600, 1_000, 2_000, 4_000, 8_000):
        registry = Registry(tmp_path / str(room))
        publish(registry)
        Aliases(registry).promote("card_fraud", 1)
        try:
            with files_end_at(room):
                publish(registry, "challenger")
                Aliases(registry).promote("card_fraud", 2)
            outcomes.add("published")
        except OSError:
            outcomes.add("refused")
        for version in registry.versions("card_fraud"):
            assert {each.name for each in Path(registry.where("card_fraud", version)).iterdir()} == FILES
        assert Aliases(registry).of("card_fraud")[CHAMPION] in registry.versions("card_fraud")
        assert publish(registry, "challenger").version == 2
        assert registry.versions("card_fraud") == [1, 2]
    assert outcomes == {"published", "refused"}


def test_a_publisher_killed_at_any_point_leaves_no_half_version(tmp_path):
    script = textwrap.dedent(
        """
        import os, sys
        from pathlib import Path
        from tests.training.registry.test_versions import publish
        from training.registry.aliases import Aliases
        from training.registry.versions import Registry

        def dying(call):
            def wrapped(*arguments):
                global left
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), 9)
                return call(*arguments)
            return wrapped

        for start in range(20):
            registry = Registry(Path(sys.argv[1]) / str(start))
            publish(registry)
            Aliases(registry).promote("card_fraud", 1)
            child = os.fork()
            if child == 0:
                left = start
                os.fsync, os.rename, os.replace = dying(os.fsync), dying(os.rename), dying(os.replace)
                publish(registry, "killed")
                Aliases(registry).promote("card_fraud", 2)
                os._exit(0)
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        """
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    done = subprocess.run(command, cwd=Path(__file__).parents[3], check=True, capture_output=True, text=True)
    results = [int(line) for line in done.stdout.split()]
    assert len(results) == 20
    for start in range(20):
        registry = Registry(tmp_path / str(start))
        for version in registry.versions("card_fraud"):
            assert {each.name for each in Path(registry.where("card_fraud", version)).iterdir()} == FILES
            registry.manifest("card_fraud", version)
        assert Aliases(registry).of("card_fraud")[CHAMPION] in registry.versions("card_fraud")
        assert publish(registry, "killed").version == 2
        assert [each.model for each in registry.log.changes()].count("card_fraud") == len(registry.log.changes())
        assert registry.log.damaged_lines() == []
    assert -9 in results
    assert 0 in results
