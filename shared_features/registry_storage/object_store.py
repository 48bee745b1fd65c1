"""Object storage as this project uses it: read, list, put if absent, replace if unchanged, delete. By `obstore`.

This is the one module that imports obstore. Credentials, region and endpoint are those of the environment, under the
names that the tools of AWS, Google and Azure use. Nothing of them is in an error: what the library says is not shown.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from shared_features.errors import RegistryStorageError
from shared_features.registry_storage.object_faults import may_pass, names_no_bucket, told
from shared_features.registry_storage.reader import Stored

if TYPE_CHECKING:
    from obstore import PutMode

_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")


class Patience(NamedTuple):
    """How long storage that does not answer is waited for: a connection and a request, seconds; further tries."""

    connection_s: float
    request_s: float
    retries: int


PATIENT = Patience(5.0, 60.0, 4)
"""Of a command, which fails where storage does."""
IMPATIENT = Patience(2.0, 10.0, 1)
"""Of who can do without, and looks again soon."""


@dataclass(frozen=True)
class ListedObject:
    """modified_s: when it was written, by the clock of the storage, seconds since 1970."""

    key: str
    size: int
    tag: str
    modified_s: float


class ObjectStore:
    """The objects below a URL. Raises RegistryStorageError where the storage refuses or does not answer."""

    def __init__(self, url: str, patience: Patience = PATIENT) -> None:
        """url: as `registry_place` gives it. Nothing is asked of the storage yet."""
        try:
            import obstore
        except ModuleNotFoundError as error:
            raise RegistryStorageError(
                f"The registry {url} needs {error.name}, which is not installed. Install the extra `millrace[s3]`."
            ) from error
        self.url, self._library, self._faults = url, obstore, obstore.exceptions
        self._store = obstore.store.from_url(
            url,
            client_options={
                "allow_http": any(os.environ.get(each, "").startswith("http://") for each in _ENDPOINTS),
                "connect_timeout": timedelta(seconds=patience.connection_s),
                "timeout": timedelta(seconds=patience.request_s),
            },
            retry_config={
                "max_retries": patience.retries,
                "retry_timeout": timedelta(seconds=patience.request_s),
            },
        )

    def read(self, key: str, known: Stored | None = None) -> Stored | None:
        """The whole content; None where there is none. known: it is asked whether this changed, and returned if not."""
        with self._telling():
            try:
                tag = None if known is None else known.tag.get("e_tag")
                found = self._library.get(self._store, key, options={"if_none_match": tag} if tag else None)
                tags = {"e_tag": found.meta["e_tag"], "version": found.meta["version"]}
                return Stored(bytes(found.bytes()), {name: each for name, each in tags.items() if each is not None})
            except self._faults.NotModifiedError:
                return known
            except FileNotFoundError as error:
                if names_no_bucket(error):
                    raise
                return None

    def every(self, key: str) -> Iterator[ListedObject]:
        """Every object below a folder, however deep and however many."""
        with self._telling():
            for page in self._library.list(self._store, key):
                for each in page:
                    modified_s = each["last_modified"].timestamp()
                    yield ListedObject(each["path"], each["size"], each["e_tag"] or "", modified_s)

    def inside(self, key: str) -> tuple[list[str], dict[str, int]]:
        """The folders right inside a folder, and its objects with their sizes; both by name."""
        with self._telling():
            found = self._library.list_with_delimiter(self._store, key or None)
        folders = sorted(each.rpartition("/")[2] for each in found["common_prefixes"])
        sizes = {each["path"].rpartition("/")[2]: each["size"] for each in found["objects"]}
        return folders, dict(sorted(sizes.items()))

    def put(self, key: str, content: bytes) -> None:
        """Write an object, whatever was there."""
        with self._telling():
            self._put(key, content, "overwrite")

    def put_if_absent(self, key: str, content: bytes) -> bool:
        """Write an object where there is none; False where there is another one."""
        return self._put_on_condition(key, content, "create")

    def replace_if_unchanged(self, key: str, content: bytes, known: Stored | None) -> bool:
        """Write an object if it is what was read, None where there was none; False where it is another by now."""
        return self._put_on_condition(key, content, "create" if known is None else known.tag)

    def delete(self, key: str) -> None:
        """Delete an object, if there is one."""
        with self._telling():
            self._library.delete(self._store, key)

    def _put_on_condition(self, key: str, content: bytes, mode: PutMode) -> bool:
        """An answer that was lost, or a refusal of what a lost one did, is settled by a look at what is there."""
        try:
            with self._telling():
                self._put(key, content, mode)
            return True
        except (self._faults.AlreadyExistsError, self._faults.PreconditionError):
            return self._holds(key, content)
        except RegistryStorageError:
            if self._holds(key, content):
                return True
            raise

    def _holds(self, key: str, content: bytes) -> bool:
        found = self.read(key)
        return found is not None and found.content == content

    def _put(self, key: str, content: bytes, mode: PutMode) -> None:
        self._library.put(self._store, key, content, mode=mode, use_multipart=False)

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """What the library raises as our error, without its text. What a condition raises is the caller's.

        It is caused by a ConnectionError where another try may help.
        """
        try:
            yield
        except (self._faults.AlreadyExistsError, self._faults.PreconditionError, self._faults.NotModifiedError):
            raise
        except (self._faults.BaseError, OSError) as error:
            passing = ConnectionError(self.url) if may_pass(error) else None
            raise RegistryStorageError(told(self.url, error)) from passing
