"""Tree ensembles as ONNX may hold them, at random: every mode, ties at thresholds, missing values, several classes."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from hypothesis import strategies as st

FEATURES = 3
_MODES = ("BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ")
_FEW = np.array([-np.inf, -2.5, -1, -1e-45, -0.0, 0, 1e-45, 1, 2.5, 3.4e38, np.inf], np.float32)
"""Of thresholds and values, so that many are equal."""


def any_values(random: np.random.Generator, rows: int) -> Any:
    """float32[rows, FEATURES]: those that thresholds have too, and NaN."""
    return random.choice(np.append(_FEW, np.float32(np.nan)), (rows, FEATURES))


@st.composite
def ensembles(draw: st.DrawFn) -> Any:
    """A node, as ONNX Runtime and the reader of trees take it."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    modes = draw(st.lists(st.sampled_from(_MODES), min_size=1, max_size=3, unique=True))
    trees, leaves = draw(st.integers(1, 5)), draw(st.integers(1, 12) | st.sampled_from([31, 32, 33]))
    if draw(st.booleans()):
        width, post = draw(st.integers(1, 3)), "NONE"
        base = draw(st.sampled_from([0, width]))
        how = {"aggregate_function": draw(st.sampled_from(["SUM", "AVERAGE"])), "n_targets": width}
        return ensemble(random, modes, trees, leaves, width, "Regressor", base, bool(base), post_transform=post, **how)
    width = draw(st.integers(1, 4))
    post = draw(st.sampled_from(["LOGISTIC"] if width == 1 else ["NONE", "LOGISTIC", "SOFTMAX"]))
    base = draw(st.sampled_from({1: [0, 1], 2: [0]}.get(width, [0, width])))
    labels = list(range(max(width, 2)))
    return ensemble(
        random, modes, trees, leaves, width, "Classifier", base, post_transform=post, classlabels_int64s=labels
    )


def ensemble(
    random: np.random.Generator, modes: list[str], trees: int, leaves: int, width: int, kind: str, base: int,
    whole: bool = False, **given: Any,
) -> Any:  # fmt: skip
    """Of several targets each leaf has a weight of each, in any order, or (of three and more, unless whole) of some."""
    nodes: dict[str, list[Any]] = {
        name: [] for name in ("treeids", "nodeids", "featureids", "modes", "values", "truenodeids", "falsenodeids",
                              "missing_value_tracks_true")
    }  # fmt: skip
    weights: dict[str, list[Any]] = {name: [] for name in ("treeids", "nodeids", "ids", "weights")}
    for tree in range(trees):
        children = _shape(random, leaves)
        for node, (true, false) in enumerate(children):
            mode = str(random.choice(modes)) if true else "LEAF"
            feature, tracks = int(random.integers(FEATURES)), int(random.integers(2))
            value = float(random.choice(_FEW)) if true else 0.0
            for name, each in zip(nodes, (tree, node, feature, mode, value, true, false, tracks), strict=True):
                nodes[name].append(each)
            some = width if width < 3 or whole else int(random.integers(1, width + 1))
            for target in [] if true else random.permutation(width)[:some].tolist():
                weight = float(np.float32(random.normal() * 10 ** random.uniform(-3, 3)))
                for name, each in zip(weights, (tree, node, target, weight), strict=True):
                    weights[name].append(each)
    prefix = {"Regressor": "target", "Classifier": "class"}[kind]
    attributes: dict[str, Any] = {f"nodes_{name}": each for name, each in nodes.items()}
    attributes |= {f"{prefix}_{name}": each for name, each in weights.items()}
    if base:
        attributes["base_values"] = random.normal(size=base).astype(np.float32).tolist()
    outputs = ["label", "answer"] if kind == "Classifier" else ["answer"]
    return onnx.helper.make_node(
        f"TreeEnsemble{kind}", ["features"], outputs, domain="ai.onnx.ml", **attributes, **given
    )


def _shape(random: np.random.Generator, leaves: int) -> list[tuple[int, int]]:
    """Of each node its two children; of a leaf two zeros. Children stand in any order."""
    children, ends = [(0, 0)], [0]
    while len(ends) < leaves:
        parent, new = ends.pop(int(random.integers(len(ends)))), len(children)
        children += [(0, 0), (0, 0)]
        children[parent] = (new, new + 1) if random.random() < 0.5 else (new + 1, new)
        ends += [new, new + 1]
    return children
