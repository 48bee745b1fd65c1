"""Whether the graph of a version is one that serving can run: its operator sets, its input and its output."""

from __future__ import annotations

from collections.abc import Iterator

import onnx

from shared_features.formats.model_manifest import MODEL_FILE, ModelManifest
from training.models.graph.onnx_export import open_session

_ML = "ai.onnx.ml"


def graph_faults(graph: bytes, manifest: ModelManifest) -> Iterator[str]:
    """What is wrong with the bytes of model.onnx, as sentences."""
    try:
        model = onnx.load_model_from_string(graph)
        onnx.checker.check_model(model, full_check=True)
    except Exception as error:  # protobuf and the checker have no common base
        yield f"{MODEL_FILE} is not an ONNX graph: {_line(error)} Train and publish the model again."
        return
    known = {"": onnx.defs.onnx_opset_version(), _ML: _newest_ml()}
    for each in model.opset_import:
        domain = "" if each.domain == "ai.onnx" else each.domain
        if domain not in known:
            yield f"{MODEL_FILE} uses operators of {domain}, which ONNX Runtime does not have. Export the model again."
        elif each.version > known[domain]:
            yield (
                f"{MODEL_FILE} uses operator set {each.version} of {domain or 'ai.onnx'}, and this release knows "
                f"{known[domain]}. Update Millrace, or export the model with an older set."
            )
    names = {each.name for each in model.graph.input}, {each.name for each in model.graph.output}
    for what, wanted, there in (("input", manifest.input_name, names[0]), ("output", manifest.output_name, names[1])):
        if wanted not in there:
            yield f"{MODEL_FILE} has no {what} {wanted!r}. It has {', '.join(sorted(there))}. Publish the model again."
    try:
        open_session(graph)
    except Exception as error:  # ONNX Runtime's errors derive from Exception alone
        yield f"ONNX Runtime cannot load {MODEL_FILE}: {_line(error)} Train and publish the model again."


def _newest_ml() -> int:
    return max(each.since_version for each in onnx.defs.get_all_schemas_with_history() if each.domain == _ML)


def _line(error: Exception) -> str:
    text = " ".join(str(error).split())[:200].rstrip(".")
    return f"{text or type(error).__name__}."
