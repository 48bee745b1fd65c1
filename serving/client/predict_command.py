"""`python -m serving predict VIEW JSON`: ask a running endpoint for predictions, and print them for a person."""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from serving.client.answer_text import answer_text, problem_text, problem_title
from serving.client.endpoint_link import predict_url, send
from serving.client.waiting_line import WaitingLine
from serving.errors import EndpointAwayError, WrongSettingError
from serving.request.predict_path import EXPLAINED_AT_MOST
from serving.settings import load_settings
from shared_features.settings.setting_names import API_KEY_VARIABLE

_PROGRAM = "python -m serving predict"
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}  # what a server listens on
_LONGEST_CURL = 4_000
_UNAVAILABLE = 503
_AGAIN_S = 1.0

WaitsFor = Callable[[str], str | None]
"""Called with the address: what has to happen before it predicts, where that is known."""


def run(arguments: Sequence[str], waits_for: WaitsFor = lambda url: None) -> int:
    """Exit code 0; 1 where the endpoint is unavailable or refuses; 2 for an argument or JSON that cannot be used."""
    options = build_parser().parse_args(arguments)
    try:
        url = predict_url(options.url or _own_url(), options.view)
        body = _body(_given(options.json_text), options)
    except (WrongSettingError, _UnreadableError) as error:
        return _say(error, 2)
    curl = f"curl -sS {shlex.quote(url)} -H 'content-type: application/json' -d {shlex.quote(body.decode())}"
    if os.environ.get(API_KEY_VARIABLE):
        curl += f' -H "authorization: Bearer ${API_KEY_VARIABLE}"'
    try:
        status, answer = _answered(url, body, options, waits_for)
    except EndpointAwayError as error:
        return _say(f"{error}{_known(waits_for(url), options)}", 1)
    if status != 200:
        known = _known(waits_for(url), options) if status == _UNAVAILABLE else ""
        return _say(f"{problem_text(status, answer)}{known}", 1)
    if options.as_json:
        sys.stdout.write(answer.decode() + "\n")
        return 0
    sys.stdout.write(answer_text(json.loads(answer)) + "\n")
    if len(curl) <= _LONGEST_CURL:
        sys.stdout.write(f"\nthe same with curl:\n{curl}\n")
    return 0


def _answered(url: str, body: bytes, options: argparse.Namespace, waits_for: WaitsFor) -> tuple[int, bytes]:
    """Status and body of the answer. With --wait, that of the first one that says something else than "not yet"."""
    until_s = time.monotonic() + options.wait
    line = WaitingLine(sys.stderr, options.wait)
    try:
        while True:
            last = time.monotonic() >= until_s
            try:
                status, answer = send(url, body, options.timeout, os.environ.get(API_KEY_VARIABLE, ""))
                if last or status != _UNAVAILABLE:
                    return status, answer
                line.show(waits_for(url) or problem_title(answer))
            except EndpointAwayError:
                if last:
                    raise
                line.show(waits_for(url) or f"no endpoint answers at {url}")
            time.sleep(_AGAIN_S)
    finally:
        line.end()


def _known(says: str | None, options: argparse.Namespace) -> str:
    advice = "" if options.wait else " `--wait 600` waits until it is done."
    return "" if says is None else f"\nNot done yet: {says}.{advice}"


def _say(error: Exception | str, code: int) -> int:
    sys.stderr.write(f"{_PROGRAM}: {error}\n")
    return code


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=_PROGRAM,
        description="Ask a running endpoint (`python -m serving`) for predictions, and print them. The variable "
        f"{API_KEY_VARIABLE} holds the API key, where the endpoint asks for one.",
    )
    parser.add_argument("view", metavar="VIEW", help="a feature view, such as churn, or churn:v2 for that version")
    parser.add_argument(
        "json_text",
        metavar="JSON",
        help="an instance, a list of instances, or a whole request, as JSON in single quotes. @FILE reads a file, - "
        "reads standard input",
    )
    parser.add_argument(
        "--url",
        help="address of the endpoint, such as http://host:8000. Otherwise the address of the settings "
        "MILLRACE_SERVING_HOST and MILLRACE_SERVING_PORT",
    )
    parser.add_argument(
        "--explain",
        action="store_true",
        help="say of each feature which window it covers, how many events are in it, and where it was read. For at "
        f"most {EXPLAINED_AT_MOST} instances",
    )
    parser.add_argument(
        "--as-of",
        metavar="T",
        help="the instant to predict as of: RFC 3339, or microseconds since 1970. Otherwise now",
    )
    parser.add_argument("--json", action="store_true", dest="as_json", help="print the answer as the endpoint gives it")
    parser.add_argument("--timeout", type=float, default=30.0, metavar="S", help="seconds for one answer (default 30)")
    parser.add_argument(
        "--wait",
        type=float,
        default=0.0,
        metavar="S",
        help="ask again for S seconds while there is no endpoint, or no model that answers yet",
    )
    return parser


class _UnreadableError(Exception):
    """What was given is not a request. The message says where and why."""


def _own_url() -> str:
    settings = load_settings()
    if not settings.serving_port:
        raise WrongSettingError(
            "Setting serving_port (MILLRACE_SERVING_PORT) is 0, so the port is not known. Give the address of the "
            "endpoint by --url. The log of the endpoint shows it."
        )
    scheme = "http" if settings.tls_certificate is None else "https"
    return f"{scheme}://{_EVERYWHERE.get(settings.serving_host, settings.serving_host)}:{settings.serving_port}"


def _given(text: str) -> str:
    try:
        if text == "-":
            return sys.stdin.read()
        return Path(text[1:]).read_text() if text.startswith("@") else text
    except (OSError, UnicodeDecodeError) as error:
        raise _UnreadableError(f"The JSON cannot be read from {text}: {error}. Correct the name of the file.") from None


def _body(text: str, options: argparse.Namespace) -> bytes:
    """The body of the request. Values stay as they were written: a number keeps all of its digits."""
    request: dict[str, Any]
    match _parsed(text):
        case {"instances": [*_]}:
            request = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
        case dict():
            request = {"instances": [msgspec.Raw(text.strip().encode())]}
        case list():
            request = {"instances": msgspec.Raw(text.strip().encode())}
        case other:
            raise _UnreadableError(
                f"The JSON is {json.dumps(other)[:60]}. Write an instance as an object, such as "
                "'{\"field\": 1}', or a list of such objects."
            )
    request.setdefault("include_features", True)
    if options.explain:
        request["explain"] = True
    if options.as_of is not None:
        request["as_of"] = int(options.as_of) if re.fullmatch(r"-?\d+", options.as_of) else options.as_of
    return msgspec.json.encode(request)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        line = (error.doc.splitlines() or [""])[error.lineno - 1 : error.lineno] or [""]
        start = max(0, error.colno - 60)
        shown, mark = line[0][start : start + 100], " " * (error.colno - 1 - start) + "^"
        raise _UnreadableError(
            f"The JSON cannot be read at line {error.lineno}, column {error.colno}: {error.msg}.\n  {shown}\n  {mark}\n"
            "Correct it there. In a shell, put the whole JSON in single quotes, its names and texts in double quotes."
        ) from None
