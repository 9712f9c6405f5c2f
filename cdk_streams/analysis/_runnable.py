"""Mappings of a template with everything that the simulator needs to run them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, NamedTuple

from cdk_streams.arns import Arn, is_service
from cdk_streams.errors import SettingsError, SourceError, TemplateError
from cdk_streams.mapping import (
    LAMBDA_DEFAULT_MEMORY_MB,
    LAMBDA_DEFAULT_TIMEOUT,
    MappingSettings,
    TableStream,
)
from cdk_streams.template import MappingResource, StackTemplate, Unknown, known, settings_of

__all__ = ["RunnableMapping", "RunnableMappings", "runnable_mappings"]

_KINDS: Final = {"sqs": "queue", "sns": "topic", "s3": "bucket"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnableMapping:
    """One event source mapping and its function.

    Args:
        logical_id: The mapping's name in the template.
        place: Where it stands: `Resources.AuditMapping`.
        function: The function's logical id; the mapping's where the function is elsewhere.
        settings: Its settings; a destination that only a deployment knows has an ARN of its own.
        destination: The on-failure destination in words: `the queue Failed`; None: there is none.
        stream: The stream, with the table's keys where the template has the table.
        timeout: The function's.
        memory_mb: The function's.
        reserved_concurrency: The function's; None: no limit of its own.
        environment: The function's variables; one that only a deployment knows is left out.

    """

    logical_id: str
    place: str
    function: str
    settings: MappingSettings
    destination: str | None = None
    stream: TableStream
    timeout: timedelta = LAMBDA_DEFAULT_TIMEOUT
    memory_mb: int = LAMBDA_DEFAULT_MEMORY_MB
    reserved_concurrency: int | None = None
    environment: Mapping[str, str]


class RunnableMappings(NamedTuple):
    """The mappings of a template that can be run, and why others cannot, by logical id."""

    mappings: tuple[RunnableMapping, ...]
    left_out: Mapping[str, str]

    def named(self, name: str | None) -> RunnableMapping:
        """Return the mapping of that name, or of the function of that name; None: the only one.

        The beginning of a name is enough where it fits one mapping alone.

        Raises:
            SourceError: No mapping has the name, or several have.

        """
        found = [
            each for each in self.mappings if name in (None, each.logical_id, each.function)
        ] or [
            each
            for each in self.mappings
            if name and (each.logical_id.startswith(name) or each.function.startswith(name))
        ]
        if len(found) == 1:
            return found[0]
        if name is not None and name in self.left_out:
            raise SourceError(self.left_out[name])
        if not self.mappings:
            why = "; ".join(self.left_out.values())
            raise SourceError(
                f"the template has no event source mapping that can be run: {why}"
                if why
                else "the template must have an event source mapping that reads a DynamoDB stream, "
                "got none; name another template"
            )
        there = ", ".join(each.logical_id for each in found or self.mappings)
        got = "none" if name is None else repr(name)
        fits = f", which fits {there}" if found and name else f"; the template has {there}"
        raise SourceError(
            f"the consumer must be named by the logical id of one mapping or its function, "
            f"got {got}{fits}"
        )


def runnable_mappings(stack: StackTemplate) -> RunnableMappings:
    """Return every mapping of a template that is created and whose settings are known.

    `stack` is what `cdk_streams.template.read` returns. `left_out` of the answer has the sentence
    for each of the others.
    """
    mappings: list[RunnableMapping] = []
    left_out: dict[str, str] = {}
    for name, each in stack.mappings.items():
        if each.absent is not None:
            left_out[name] = each.absent.why
            continue
        try:
            mappings.append(_runnable(each, stack))
        except (TemplateError, SettingsError) as error:
            left_out[name] = "; ".join(str(error).splitlines())
    return RunnableMappings(tuple(mappings), left_out)


def _runnable(mapping: MappingResource, stack: StackTemplate) -> RunnableMapping:
    settings, stream = settings_of(mapping), _stream(mapping, stack)
    destination = _destination(settings, mapping)
    if not (settings.on_failure is None or isinstance(settings.on_failure, str)):
        arn = f"arn:aws:sqs:{stream.region}:{stream.account}:{mapping.logical_id}-on-failure"
        settings = replace(settings, on_failure=arn)
    if mapping.function is None:
        return RunnableMapping(
            logical_id=mapping.logical_id,
            place=mapping.place,
            function=mapping.logical_id,
            settings=settings,
            destination=destination,
            stream=stream,
            environment={},
        )
    function = stack.functions[mapping.function]
    return RunnableMapping(
        logical_id=mapping.logical_id,
        place=mapping.place,
        function=function.logical_id,
        settings=settings,
        destination=destination,
        stream=stream,
        timeout=timedelta(seconds=known(function.timeout_s)),
        memory_mb=known(function.memory_mb),
        reserved_concurrency=known(function.reserved_concurrency),
        environment={
            name: value
            for name, value in function.environment.items()
            if not isinstance(value, Unknown)
        },
    )


def _destination(settings: MappingSettings, mapping: MappingResource) -> str | None:
    """Name the destination as the template does: the account of its ARN is assumed."""
    arn = settings.on_failure
    if arn is None:
        return None
    if not isinstance(arn, str):
        return f"a destination that only a deployment of {mapping.logical_id} knows"
    parsed = Arn.parse(arn)
    kind = next((word for service, word in _KINDS.items() if is_service(arn, service)), None)
    return arn if kind is None else f"the {kind} {parsed.resource}"


def _stream(mapping: MappingResource, stack: StackTemplate) -> TableStream:
    """Return the stream; of one that only a deployment knows, its kind of records is assumed."""
    arn = mapping.stream_arn
    if isinstance(arn, Unknown) and arn.refused:
        raise TemplateError(arn.why)
    if mapping.table is not None:
        found = stack.tables[mapping.table].stream
        if isinstance(found, TableStream):
            return found
    if isinstance(arn, Unknown):
        return TableStream()
    parsed = Arn.parse(arn)
    return TableStream(table=parsed.name, region=parsed.region, account=parsed.account)
