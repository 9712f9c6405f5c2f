"""Failure records of a deployed stack: found, planned, and their functions invoked again.

    result = find_failures(client, stack_destinations(client, stack="Shop"), limit=100)
    for found in map(FailurePlanner(client).plan, result.found):
        found.plan or found.fault

Each name is loaded when it is first used: reading a template does not pay for boto3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cdk_streams._lazy import lazy_names

if TYPE_CHECKING:
    from cdk_streams.redrive._bucket_objects import FailureObject, delete_object
    from cdk_streams.redrive._failure_cause import FailureCause, find_cause
    from cdk_streams.redrive._failure_record import FailureRecord, MappingKey, parse_failure
    from cdk_streams.redrive._found_failure import FoundFailure, Holder
    from cdk_streams.redrive._invoke import CALL_LIMIT_S, invoker
    from cdk_streams.redrive._message_hold import MessageHold
    from cdk_streams.redrive._newer_changes import ItemState, handled_until, item_states
    from cdk_streams.redrive._plan import RedriveOutcome, RedrivePlan, carry_out, plan_redrive
    from cdk_streams.redrive._planner import EXPECTED_ERRORS, FailurePlanner
    from cdk_streams.redrive._queue_messages import (
        FailureMessage,
        discard,
        give_all_back,
        give_back,
        hide,
        receive_messages,
    )
    from cdk_streams.redrive._search import SearchResult, find_failures
    from cdk_streams.redrive._stack_destinations import (
        Destination,
        FailureBucket,
        FailureQueue,
        UnsupportedDestination,
        destination_of,
        stack_destinations,
        stack_mappings,
        stack_resources,
    )

__all__ = [
    "CALL_LIMIT_S",
    "EXPECTED_ERRORS",
    "Destination",
    "FailureBucket",
    "FailureCause",
    "FailureMessage",
    "FailureObject",
    "FailurePlanner",
    "FailureQueue",
    "FailureRecord",
    "FoundFailure",
    "Holder",
    "ItemState",
    "MappingKey",
    "MessageHold",
    "RedriveOutcome",
    "RedrivePlan",
    "SearchResult",
    "UnsupportedDestination",
    "carry_out",
    "delete_object",
    "destination_of",
    "discard",
    "find_cause",
    "find_failures",
    "give_all_back",
    "give_back",
    "handled_until",
    "hide",
    "invoker",
    "item_states",
    "parse_failure",
    "plan_redrive",
    "receive_messages",
    "stack_destinations",
    "stack_mappings",
    "stack_resources",
]

if not TYPE_CHECKING:  # A type checker knows only the names above.
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "cdk_streams.redrive._bucket_objects": "FailureObject delete_object",
            "cdk_streams.redrive._failure_cause": "FailureCause find_cause",
            "cdk_streams.redrive._newer_changes": "ItemState handled_until item_states",
            "cdk_streams.redrive._failure_record": "FailureRecord MappingKey parse_failure",
            "cdk_streams.redrive._invoke": "CALL_LIMIT_S invoker",
            "cdk_streams.redrive._plan": "RedriveOutcome RedrivePlan carry_out plan_redrive",
            "cdk_streams.redrive._found_failure": "FoundFailure Holder",
            "cdk_streams.redrive._message_hold": "MessageHold",
            "cdk_streams.redrive._planner": "EXPECTED_ERRORS FailurePlanner",
            "cdk_streams.redrive._queue_messages": (
                "FailureMessage discard give_all_back give_back hide receive_messages"
            ),
            "cdk_streams.redrive._search": "SearchResult find_failures",
            "cdk_streams.redrive._stack_destinations": (
                "Destination FailureBucket FailureQueue UnsupportedDestination destination_of "
                "stack_destinations stack_mappings stack_resources"
            ),
        },
    )
