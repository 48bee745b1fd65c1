"""The page of the endpoint: requests, answers and problems, from the OpenAPI document and the table of problems."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from serving.answer.answer import Answer, ModelName, Prediction
from serving.answer.feature_answer import FeatureAnswer, InstanceFeatures
from serving.connections.connection_problems import CONNECTION_PROBLEMS
from serving.endpoints.health import Readiness, ViewReadiness
from serving.endpoints.openapi import openapi_document
from serving.features.group_view import group_views
from serving.problem_details import ProblemDetails
from serving.problems import PROBLEMS, UNEXPECTED, unrouted
from shared_features.formats.receipt import AppliedPosition, EncodedReceipt, Receipt, ShardReceipt
from tests.docs.reference.table import code, one_line, table
from tests.domains.web_shop import ORDER_RETURN

HEAD = """\
# The endpoint

`python -m serving` answers these paths. A running service describes itself at `/docs` and `/openapi.json`, with the
fields and features of your own views. This page shows those of the web shop (`tests/domains/web_shop.py`). The
[Open Inference Protocol](../how-to/open-inference-protocol.md), under `/v2`, has a page of its own.

"""
_STRUCTS = (Answer, ModelName, Prediction, FeatureAnswer, InstanceFeatures, Receipt, ShardReceipt, AppliedPosition)


def page() -> str:
    document = openapi_document([ORDER_RETURN], 1_000, group_views(ORDER_RETURN.groups))  # the number is not shown
    schemas = document["components"]["schemas"]
    paths = [
        (code(f"{verb.upper()} {path}"), operation["summary"])
        for path, verbs in document["paths"].items()
        for verb, operation in verbs.items()
    ]
    text = f"{HEAD}{table(('path', 'what it answers'), paths)}"
    text += f"\n## Fields of a request\n\n{_fields(schemas['order_return_request'])}"
    text += f"\nAn instance of view `order_return`:\n\n{_fields(schemas['order_return_instance'])}"
    text += (
        "\nA request for features has `instances` and `as_of` alone. An instance of a group is the key of its entity, "
        "and may name its event. By `GET`, the query of the path has the fields of one instance, and `as_of`.\n"
    )
    _, answers = msgspec.json.schema_components([*_STRUCTS, ProblemDetails, Readiness, ViewReadiness])
    text += "\n## Fields of an answer\n"
    for struct in _STRUCTS:
        text += f"\n### {struct.__name__}\n\n{one_line(struct.__doc__)}\n\n{_fields(answers[struct.__name__])}"
    text += f"\n## Readiness\n\n`/health/ready` answers 200 or 503 with:\n\n{_fields(answers['Readiness'])}"
    return f"{text}\n{_problems(answers)}"


def _problems(answers: Mapping[str, Any]) -> str:
    known = [*((error.__name__, problem) for error, problem in PROBLEMS.items()), ("any other", UNEXPECTED)]
    known += [("a connection", problem) for problem in CONNECTION_PROBLEMS]
    known.append(("a path or a method that does not exist", unrouted(404)))
    rows = [
        (
            code(each.name), "404 or 405" if each.name == "unknown-route" else each.status, each.title, each.advice,
            f"{each.retry_after_s} s" if each.retry_after_s is not None else "",
        )
        for _, each in known
    ]  # fmt: skip
    return (
        "## Problems\n\nA refused request gets `application/problem+json` (RFC 9457). The last part of `type` is the "
        f"kind of problem.\n\n{table(('kind', 'status', 'title', 'what to do', '`Retry-After`'), rows)}"
        f"\nIts members:\n\n{_fields(answers['ProblemDetails'])}"
    )


def _fields(schema: Mapping[str, Any]) -> str:
    required = schema.get("required", [])
    rows = [
        (code(name), _type(each), "yes" if name in required else "no", " ".join(each.get("description", "").split()))
        for name, each in schema["properties"].items()
    ]
    return table(("field", "type", "always", "what it is"), rows)


def _type(schema: Mapping[str, Any]) -> str:
    """The type of a JSON schema in a few words."""
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_type(each) for each in schema["anyOf"]))
    if "$ref" in schema:
        return code(schema["$ref"].rpartition("/")[2].replace(EncodedReceipt.__name__, Receipt.__name__))
    if "enum" in schema:
        return " or ".join(code(each) for each in schema["enum"])
    kind = str(schema.get("type", "any"))
    if kind == "array":
        return f"array of {_type(schema['items'])}" if isinstance(schema.get("items"), Mapping) else "array"
    if kind == "object" and isinstance(schema.get("additionalProperties"), Mapping):
        return f"object of {_type(schema['additionalProperties'])}"
    return kind
