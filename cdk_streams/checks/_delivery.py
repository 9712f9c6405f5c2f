"""Rules about the way from the table to the function: the stream, its readers, the mapping."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cdk_streams.checks._facts import Consumer
from cdk_streams.checks._rule import Rule, rule
from cdk_streams.mapping import MAX_READERS_PER_SHARD, MAX_READERS_PER_SHARD_GLOBAL_TABLE

__all__ = ["RULES"]


@rule(
    "InvalidSettings",
    level="error",
    reason="Lambda refuses such a mapping, so the deployment fails",
    fix="Correct the value that the message names",
)
def invalid_settings(consumer: Consumer, _: Sequence[Consumer]) -> str | None:
    if len(consumer.faults) > 1:
        return " ".join(f"({number}) {each}" for number, each in enumerate(consumer.faults, 1))
    return "".join(consumer.faults) or None


@rule(
    "NoStream",
    level="error",
    reason="there is nothing for Lambda to poll",
    fix="Set the table's stream view type",
    template_fix="Give the table StreamSpecification: {StreamViewType: NEW_AND_OLD_IMAGES}",
)
def no_stream(consumer: Consumer, _: Sequence[Consumer]) -> str | None:
    source = consumer.source
    if source is None or source.has_stream is not False:
        return None
    return f"{source.name} has no stream"


@rule(
    "ReplicaStreamWildcard",
    level="error",
    reason="a mapping takes one stream, and the stream of a replica is known only in its region",
    fix="Create the consumer in a stack of the replica's region, with the table looked up by name",
    template_fix="Write the ARN of the stream itself, of the replica in the mapping's own Region",
)
def replica_stream_wildcard(consumer: Consumer, _: Sequence[Consumer]) -> str | None:
    source = consumer.source
    if source is None or not source.is_replica_wildcard:
        return None
    return f"the stream of {source.name} ends in stream/*"


@rule(
    "TooManyReaders",
    reason="more readers are throttled, and all of them fall behind",
    fix="Let a StreamForwarder be the one reader, streams.StreamForwarder(self, 'Events', "
    "table=table, target=streams.targets.EventBus(bus)), and make the others targets of rules of "
    "that bus",
    template_fix="Let one function read the stream and send the changes to an event bus or a "
    "topic, whose subscribers the others are",
)
def too_many_readers(consumer: Consumer, others: Sequence[Consumer]) -> str | None:
    source = consumer.source
    if source is None:
        return None
    readers = [each for each in others if each.source and each.source.name == source.name]
    # A look-up of the same table does not know of its replicas.
    replicated = any(each.source and each.source.replicas for each in readers)
    most = MAX_READERS_PER_SHARD_GLOBAL_TABLE if replicated else MAX_READERS_PER_SHARD
    # The first ones are within the limit; the finding is about each one beyond it.
    if consumer not in readers[most:]:
        return None
    kind = "a table with replicas" if replicated else "a stream"
    return f"{source.name} has {len(readers)} readers, {kind} takes {most}"


@rule(
    "SameMappingTwice",
    level="error",
    reason="Lambda takes one mapping for a function and a stream, so the deployment fails",
    fix="Give the second mapping an alias of the function, or join their filters",
)
def same_mapping_twice(consumer: Consumer, others: Sequence[Consumer]) -> str | None:
    source, function = consumer.source, consumer.function
    if source is None or function is None:
        return None
    same = [
        each
        for each in others
        if each.source
        and each.function
        and (each.source.name, each.function.name) == (source.name, function.name)
    ]
    if consumer not in same[1:]:
        return None
    return f"{function.name} already reads {source.name} through {same[0].name}"


@rule(
    "MappingReplaced",
    reason="CloudFormation creates the new mapping before it deletes the old one, Lambda refuses a "
    "second mapping of one function and stream, and the deployment rolls back",
    fix="Keep the old mapping: leave its starting_position, which has no effect on a mapping that "
    "exists, and its logical id (event_source_mapping.override_logical_id), or deploy twice",
    template_fix="Keep StartingPosition, which has no effect on a mapping that exists, and the "
    "logical id, or deploy twice within 24 hours: first without the old mapping, "
    "then with the new one and StartingPosition: TRIM_HORIZON, which also reads "
    "again what was handled",
)
def mapping_replaced(consumer: Consumer, _: Sequence[Consumer]) -> str | None:
    position = consumer.settings.starting_position if consumer.settings else None
    for last in consumer.last:
        if not (last.has_same_stream and last.has_same_function):
            continue
        if not last.is_same:
            return f"the last template has {last.name} for the same stream and function"
        if position not in {None, last.starting_position}:
            return f"starting_position was {last.starting_position} and becomes {position}"
    return None


@rule(
    "StreamReplaced",
    reason="the mapping is replaced, and what the function has not read of the old stream is lost "
    "to it",
    fix="Stop the writers and wait until the consumer's iterator age is 0, or let a second "
    "consumer read the old stream until then",
    template_fix="Stop the writers, wait until the function's IteratorAge is 0, deploy, start "
    "the writers; or deploy twice: first a second mapping that reads the new "
    "stream, then without the old one",
)
def stream_replaced(consumer: Consumer, _: Sequence[Consumer]) -> str | None:
    for last in consumer.last:
        if last.is_same and not last.has_same_stream:
            why = f": {last.stream_change}" if last.stream_change else ""
            return f"the mapping reads another stream than in the last template{why}"
    return None


@rule(
    "StartsAtLatest",
    reason="polling starts minutes after the mapping is created; what is written meanwhile is "
    "never read",
    fix="Set starting_position to TRIM_HORIZON before the first deployment; that of a mapping that "
    "exists cannot be changed in one deployment",
)
def starts_at_latest(consumer: Consumer, _: Sequence[Consumer]) -> str | None:
    settings = consumer.settings
    if settings is None or settings.starting_position != "LATEST":
        return None
    return "starting_position is LATEST"


@rule(
    "Disabled",
    reason="records stay in the stream for 24 hours and are lost after that",
    fix="Enable it again within a day",
)
def disabled(consumer: Consumer, _: Sequence[Consumer]) -> str | None:
    settings = consumer.settings
    return "the mapping is disabled" if settings and not settings.enabled else None


@rule(
    "StreamArnExportLocked",
    reason="CloudFormation refuses to change an export in use, so the stream can never be replaced",
    fix="Look the table up by name with StreamTable.look_up",
    template_fix="Pass the ARN as a parameter of the stack in place of Fn::ImportValue",
)
def stream_arn_export_locked(consumer: Consumer, _: Sequence[Consumer]) -> str | None:
    source = consumer.source
    if source is None or not source.is_export_locked:
        return None
    return "the stream ARN is another stack's export"


@rule(
    "MappingBeforePolicy",
    level="error",
    reason="Lambda tests the role when the mapping is created and refuses one without permission "
    "to read",
    fix="Make the mapping depend on the role's policy",
    template_fix="Name the policy in the mapping's DependsOn",
)
def mapping_before_policy(consumer: Consumer, _: Sequence[Consumer]) -> str | None:
    if consumer.waits_for_policy is not False:
        return None
    return "the mapping does not wait for the policy of the function's role"


@rule(
    "NoRole",
    reason="no role is granted permission to read the stream and to deliver failure records",
    fix="Import it with from_function_attributes(role=...), or grant them where it is defined",
)
def no_role(consumer: Consumer, _: Sequence[Consumer]) -> str | None:
    function = consumer.function
    if function is None or function.has_role is not False:
        return None
    return f"{function.name} was imported without its role"


@rule(
    "RoleNotGranted",
    reason="reading the stream and delivering failure records are not granted to it",
    fix="Where it is defined, grant dynamodb:DescribeStream, GetRecords, GetShardIterator and "
    "ListStreams on the stream, and sending to the failure destination",
    template_fix="Give the role a policy that allows dynamodb:DescribeStream, GetRecords, "
    "GetShardIterator and ListStreams on the stream, and sending to the failure "
    "destination",
)
def role_not_granted(consumer: Consumer, _: Sequence[Consumer]) -> str | None:
    function = consumer.function
    if function is not None and function.may_read is False:
        return f"no policy of the template lets the role of {function.name} read a stream"
    if function is None or function.is_granted is not False:
        return None
    return f"the role of {function.name} takes no statements of this app"


@rule(
    "WritesOwnSource",
    reason="each of its writes invokes it again, in an endless loop",
    fix="Add a filter that its own writes do not match",
)
def writes_own_source(consumer: Consumer, _: Sequence[Consumer]) -> str | None:
    source, function, settings = consumer.source, consumer.function, consumer.settings
    if source is None or function is None or settings is None or settings.filters:
        return None
    if source.name not in function.writes_to:
        return None
    return f"{function.name} may write {source.name}, which it reads, and it has no filter"


RULES: Final[tuple[Rule, ...]] = (
    invalid_settings,
    no_stream,
    replica_stream_wildcard,
    too_many_readers,
    same_mapping_twice,
    mapping_replaced,
    stream_replaced,
    starts_at_latest,
    disabled,
    stream_arn_export_locked,
    mapping_before_policy,
    no_role,
    role_not_granted,
    writes_own_source,
)
