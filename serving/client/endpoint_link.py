"""A link to a running endpoint: one request over HTTP, by the standard library alone."""

from __future__ import annotations

from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from serving.errors import EndpointAwayError, WrongSettingError
from serving.request.predict_path import PREDICT_END, PREDICT_START

_OF_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


def predict_url(base: str, view: str) -> str:
    """The address of a view's predictions. Raises WrongSettingError for a base that is not an HTTP address."""
    whole = base if "://" in base else f"http://{base}"
    try:
        parts = urlsplit(whole)
        fits = parts.scheme in ("http", "https") and parts.hostname and (parts.port or True)
    except ValueError:
        fits = False
    if not fits:
        raise WrongSettingError(
            f"The address {base!r} cannot be used. Write an HTTP address such as http://localhost:8000."
        )
    return f"{whole.rstrip('/')}{PREDICT_START}{quote(view, safe=':+')}{PREDICT_END}"


def send(url: str, body: bytes, within_s: float, key: str = "") -> tuple[int, bytes]:
    """Status and body of the answer, whatever the status. key: an API key. Raises EndpointAwayError."""
    request = Request(url, body, {"content-type": "application/json"}, method="POST")  # http, see above
    if key:
        request.add_unredirected_header("Authorization", f"Bearer {key}")  # not to where an answer leads
    local = urlsplit(url).hostname in _OF_THIS_MACHINE
    opener = build_opener(*([ProxyHandler({})] if local else []))  # no proxy leads to this machine
    try:
        with opener.open(request, timeout=within_s) as answer:
            return answer.status, answer.read()
    except HTTPError as error:
        return error.code, error.read()
    except (URLError, HTTPException, OSError) as error:
        reason = error.reason if isinstance(error, URLError) else error
        raise EndpointAwayError(
            f"No endpoint answers at {url}: {str(reason) or type(reason).__name__}. Start it with `python -m serving`, "
            "or give its address by --url."
        ) from error
