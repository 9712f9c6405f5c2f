"""A failure record as it was found, with the short ID by which commands name it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, TypeAlias

from cdk_streams.redrive._bucket_objects import FailureObject
from cdk_streams.redrive._failure_record import FailureRecord
from cdk_streams.redrive._plan import RedrivePlan
from cdk_streams.redrive._queue_messages import FailureMessage

__all__ = ["FoundFailure", "Holder"]

Holder: TypeAlias = FailureMessage | FailureObject
"""What holds a failure record, and is deleted when it is redriven."""

# 32 bits: of 5,000 failure records two share an ID once in about 350 lists.
_ID_BYTES = 4


@dataclass(frozen=True, slots=True)
class FoundFailure:
    """A failure record; `failure` is None when it cannot be read, and `fault` says why.

    `holders` are deleted when it is redriven: the messages that hold or name it, or an object
    that no message names. `object` is where it was read, unless that is the message itself. `plan`
    is None until a `FailurePlanner` has made it; then `fault` is the reason why there is none.
    """

    holders: tuple[Holder, ...]
    body: Mapping[str, Any]
    object: FailureObject | None = None
    failure: FailureRecord | None = None
    plan: RedrivePlan | None = None
    fault: str = ""

    @property
    def identity(self) -> tuple[str, ...]:
        """What makes two of them the same: the object, the batch, or the message."""
        if self.object is not None:
            return ("object", self.object.bucket, self.object.key)
        if self.failure is not None:
            return ("batch", *self.failure.batch)
        return ("message", *(each.id for each in self.holders if isinstance(each, FailureMessage)))

    @property
    def id(self) -> str:
        """Eight hexadecimal digits, the same however often and in whatever order it is listed."""
        return blake2b(json.dumps(self.identity).encode(), digest_size=_ID_BYTES).hexdigest()
