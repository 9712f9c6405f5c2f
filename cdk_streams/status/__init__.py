"""How the stream consumers of a deployed stack are doing, as AWS reports it now.

    status = stack_status(client, stack="Shop")
    for mapping in status.mappings:
        mapping.state, mapping.iterator_age, mapping.problems

`client` makes boto3's clients by their name, such as `client("lambda")`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cdk_streams._lazy import lazy_names

if TYPE_CHECKING:
    from cdk_streams.status._stack_status import (
        FailureQueueStatus,
        MappingStatus,
        StackStatus,
        StatusProblem,
        stack_status,
    )

__all__ = [
    "FailureQueueStatus",
    "MappingStatus",
    "StackStatus",
    "StatusProblem",
    "stack_status",
]

if not TYPE_CHECKING:  # A type checker knows only the names above.
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "cdk_streams.status._stack_status": (
                "FailureQueueStatus MappingStatus StackStatus StatusProblem stack_status"
            )
        },
    )
