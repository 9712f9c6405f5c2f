"""The mappings of the template that is deployed now, beside those that take their place."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_streams.checks._facts import LastMapping
from cdk_streams.mapping import TableStream
from cdk_streams.template import MappingResource, StackTemplate, TableResource, Unknown

__all__ = ["last_mappings"]


def last_mappings(
    mapping: MappingResource, stack: StackTemplate, before: StackTemplate
) -> Iterator[LastMapping]:
    """Yield the mappings of the deployed template that one of the new template replaces.

    That is the one of the same logical id, and each of the same stream and function whose logical
    id the new template no longer has.
    """
    for name, last in before.mappings.items():
        if last.absent is not None:
            continue
        change = _stream_change(mapping, stack, last, before)
        has_same_function = _function(mapping) == _function(last)
        is_same = name == mapping.logical_id
        takes_over = change is None and has_same_function and name not in stack.mappings
        if is_same or takes_over:
            yield LastMapping(
                name=name,
                is_same=is_same,
                has_same_stream=change is None,
                has_same_function=has_same_function,
                starting_position=str(last.properties.get("StartingPosition")),
                stream_change=change or "",
            )


def _function(mapping: MappingResource) -> object:
    return mapping.function or mapping.function_name


def _stream_change(
    mapping: MappingResource, stack: StackTemplate, last: MappingResource, before: StackTemplate
) -> str | None:
    """Return why the stream is another one; None: it is the same, or nobody knows."""
    if mapping.table is None or last.table is None:
        arns = mapping.stream_arn, last.stream_arn
        if any(isinstance(each, Unknown) for each in arns) or arns[0] == arns[1]:
            return None
        return f"it was {last.stream_arn}"
    if mapping.table != last.table:
        return f"the table was {last.table} and becomes {mapping.table}"
    return _table_change(stack.tables[mapping.table], before.tables[last.table])


def _table_change(table: TableResource, last: TableResource) -> str | None:
    """Return what makes DynamoDB create another stream, or CloudFormation another table."""
    if table.kind != last.kind:
        return f"the table was an {last.kind} and becomes an {table.kind}"
    if table.name != last.name:
        return f"TableName was {last.name} and becomes {table.name}, which replaces the table"
    streams = table.stream, last.stream
    if isinstance(streams[0], TableStream) and isinstance(streams[1], TableStream):
        if streams[0].keys != streams[1].keys:
            return "the KeySchema changes, which replaces the table"
        if streams[0].view_type != streams[1].view_type:
            was, becomes = streams[1].view_type, streams[0].view_type
            return f"StreamViewType was {was} and becomes {becomes}"
    return None
