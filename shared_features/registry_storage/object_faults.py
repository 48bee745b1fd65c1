"""What object storage refused, in our words: the library's text has whole answers, requests and key ids in it."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_CODE = re.compile(r"<Code>(\w{1,60})</Code>")
_STATUS = re.compile(r"status code: (\d{3})\b")
_NO_BUCKET = ("NoSuchBucket", "ContainerNotFound")
_REFUSED = ("AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "AuthenticationFailed")
_METADATA = ("169.254.169.254", "metadata.google.internal")
"""Where a machine of a cloud is asked for credentials, as the library does when the environment has none."""


def names_no_bucket(error: Exception) -> bool:
    """Whether the bucket is missing, and not one object in it."""
    return _code(error) in _NO_BUCKET


def may_pass(error: Exception) -> bool:
    """Whether another try may help: there was no answer, or the storage had a trouble of its own."""
    status = _STATUS.search(str(error))
    return status is None or status[1][0] == "5"


def told(url: str, error: Exception) -> str:
    """What is wrong, what was found, and what to do."""
    code, status = _code(error), _STATUS.search(str(error))
    found = code or (f"HTTP {status[1]}" if status else "")
    if code in _NO_BUCKET:
        bucket = urlsplit(url).netloc
        return f"The registry {url} cannot be used. There is no bucket {bucket!r}. Create it, or correct its name."
    if any(each in str(error) for each in _METADATA):
        return (
            f"The registry {url} cannot be used. The environment has no credentials for it. Set AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or those of the cloud that has it."
        )
    if code in _REFUSED or (status and status[1] in ("401", "403")):
        return (
            f"The registry {url} cannot be used. Its storage refuses access: {found}. See that the credentials in the "
            "environment are right, and that they may read, list, write and delete there."
        )
    if found:
        return f"The registry {url} cannot be used. Its storage answers {found}. Try again, or see what it says of it."
    return (
        f"The registry {url} cannot be used. Its storage does not answer. See that it runs, and that AWS_ENDPOINT_URL "
        "and AWS_REGION are right."
    )


def _code(error: Exception) -> str:
    found = _CODE.search(str(error))
    return found[1] if found else ""
