"""Whether a request for a prediction is about a subject: one of its instances carries the subject's fields."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from streaming.operations.erasure.subjects.subject import Subject


class AskedAbout:
    """subjects: of one kind."""

    def __init__(self, subjects: Sequence[Subject]) -> None:
        self._subjects = subjects
        self._wanted = {subject.parts for subject in subjects}

    def is_in(self, request: str) -> bool:
        """request: the body as the client sent it, the texts of which an altered line may have cut off."""
        try:
            instances = msgspec.json.decode(request)["instances"]
            parts = [self._subjects[0].parts_in(each) for each in instances]
        except (msgspec.MsgspecError, KeyError, TypeError, AttributeError):
            return any(all(part in request for part in each.parts) for each in self._subjects)
        return any(each in self._wanted for each in parts)
