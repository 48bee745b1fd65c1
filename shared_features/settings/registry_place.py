"""The place of a model registry, as a setting: a folder, or a URL of object storage such as s3://bucket/prefix."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

SCHEMES = ("s3", "gs", "az")
_WRITE = "Write a folder, or s3://bucket/prefix"
_USER = re.compile(r"//[^/]*@")


def registry_place(value: object) -> Path | str:
    """A text becomes a Path, or stays the text of a URL. Raises ValueError for a URL that cannot be a registry's.

    >>> registry_place("s3://models/millrace/"), registry_place("var/registry")
    ('s3://models/millrace', PosixPath('var/registry'))
    """
    if not isinstance(value, str) or "://" not in value:
        return Path(value)  # type: ignore[arg-type]  # a TypeError for what cannot be a path
    if fault := _fault(value):
        raise ValueError(fault)
    return value.rstrip("/")


def without_user(text: str) -> str:
    """A text as an error may show it: what stands before the host of a URL may be a password.

    >>> without_user("s3://me:secret@bucket")
    's3://***@bucket'
    """
    return _USER.sub("//***@", text)


def _fault(url: str) -> str:
    parts = urlsplit(url)
    if "@" in parts.netloc:
        return "The URL holds a user or a password. Give credentials by AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    if parts.scheme not in SCHEMES:
        return f"The URL begins with {parts.scheme}://. {_WRITE}, or begin it with gs:// or az://"
    if not parts.netloc:
        return f"The URL names no bucket. {_WRITE}"
    if parts.query or parts.fragment or "//" in parts.path or "/." in parts.path:
        return f"The URL has more than a bucket and a prefix. {_WRITE}"
    return ""
