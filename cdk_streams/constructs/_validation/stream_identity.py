"""Tell streams apart by their table, however the app refers to it.

One table may be defined here, looked up by name (each look-up has a stream ARN of its own), and
imported by its ARN; its readers are counted together.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeAlias

from aws_cdk import Stack, Token
from aws_cdk import aws_dynamodb as dynamodb
from constructs import IConstruct

from cdk_streams.arns import Arn, is_service
from cdk_streams.constructs._registry import Placement, Registry, placement_of

__all__ = ["StreamId", "StreamIdentities"]

StreamId: TypeAlias = tuple[str, ...]
"""What two references to one stream have in common."""

_DEFINED: Final = (dynamodb.Table, dynamodb.TableV2, dynamodb.TableV2MultiAccountReplica)


class StreamIdentities:
    """The identities of the streams of an app, by the ARN or table name that refers to them."""

    def __init__(self, tree: Iterable[IConstruct], registry: Registry) -> None:
        self._look_ups = registry.look_ups
        self._by_reference: dict[str, StreamId] = {}
        self._by_name: dict[StreamId, StreamId] = {}
        for table in tree:
            if isinstance(table, _DEFINED):
                self._add(table)

    def of_table(self, table: dynamodb.ITable, arn: str, placement: Placement) -> StreamId:
        """Return the identity of the stream of a consumer's table."""
        name = self._look_ups.get(table)
        if name is None:
            return self.of_arn(arn, placement)
        if name in self._by_reference:
            return self._by_reference[name]
        return (name,) if Token.is_unresolved(name) else self._named(name, "", placement)

    def of_arn(self, arn: str, placement: Placement) -> StreamId:
        """Return the identity of a stream by its ARN."""
        if arn in self._by_reference:
            return self._by_reference[arn]
        if Token.is_unresolved(arn) or not is_service(arn, "dynamodb"):
            return (arn,)
        parts = Arn.parse(arn)
        other = placement.account not in {None, parts.account}
        return self._named(parts.name, parts.account if other else "", placement)

    def _add(
        self,
        table: dynamodb.Table | dynamodb.TableV2 | dynamodb.TableV2MultiAccountReplica,
    ) -> None:
        identity = (f"{id(table)}",)
        for reference in (table.table_stream_arn, table.table_name):
            if reference is not None:
                self._by_reference[reference] = identity
        resource = table.node.default_child
        if isinstance(resource, (dynamodb.CfnTable, dynamodb.CfnGlobalTable)):
            name = Stack.of(table).resolve(resource.table_name)
            if isinstance(name, str):
                self._by_name[_key(name, "", placement_of(table))] = identity

    def _named(self, name: str, account: str, placement: Placement) -> StreamId:
        key = _key(name, account, placement)
        return self._by_name.get(key, key)


def _key(name: str, account: str, placement: Placement) -> StreamId:
    # Stages are deployed apart: the same name in two of them is taken to be two tables.
    return (name, account, placement.region or "", f"{id(placement.stage)}")
