"""What a function of a template may write, and whether its mapping waits for its permissions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, Final, NamedTuple

from cdk_streams.checks._resource_facts import allows_writes
from cdk_streams.template import MappingResource, Resource, StackTemplate, TableResource, unknowns

__all__ = ["Permissions", "permissions_of"]

_POLICIES: Final = ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy")
# SAM's own policies that let a function write a table.
_SAM_WRITES: Final = ("DynamoDBCrudPolicy", "DynamoDBWritePolicy")
# Policies of AWS that functions often have, and that let nobody read a stream.
_WITHOUT_STREAMS: Final = (
    "/AWSLambdaBasicExecutionRole",
    "/AWSLambdaVPCAccessExecutionRole",
    "/AWSXRayDaemonWriteAccess",
)
_READ: Final = "dynamodb:getrecords"


class Permissions(NamedTuple):
    """What the role of a function is allowed.

    `statements` are those of all its policies in the template; `writes` are names of tables that
    policies of SAM let it write. `separate` are the policies that are resources of their own, which
    a mapping does not wait for unless it depends on them. `is_complete` tells whether these are all
    that the role has: it stands in the template, and only with policies whose content is known.
    """

    statements: tuple[Mapping[str, Any], ...]
    writes: frozenset[str]
    separate: tuple[Resource, ...]
    is_complete: bool

    @property
    def may_read(self) -> bool | None:
        """Whether a stream may be read; None: a policy is not known."""
        if _reads_streams(iter(self.statements)):
            return True
        return False if self.is_complete else None

    def may_write(self, table: TableResource, arn: str) -> bool:
        """Whether items of the table may be written; `arn` is the table's."""
        return table.name in self.writes or any(
            allows_writes(each) and any(_covers(one, arn) for one in _list(each.get("Resource")))
            for each in self.statements
        )

    def come_before(self, mapping: MappingResource, stack: StackTemplate) -> bool | None:
        """Whether the mapping waits for the permission to read the stream; None: not known."""
        readers = [each for each in self.separate if _reads_streams(_statements(each))]
        if not readers or mapping.function is None or "Events." in mapping.place:
            return None
        waits = stack.resource(mapping.logical_id).depends_on
        waits |= stack.resource(mapping.function).depends_on
        return any(each.logical_id in waits for each in readers)


def permissions_of(function: str, stack: StackTemplate) -> Permissions:
    """Return what the role of a function, named by its logical id, is allowed."""
    properties = stack.resource(function).properties
    arn = properties.get("Role")
    role = arn.rpartition("/")[2] if isinstance(arn, str) else None
    inline, separate, is_complete = [], [], False
    for each in stack.resources("AWS::IAM::Role"):
        if role in (each.properties.get("RoleName"), each.logical_id):
            inline += _list(each.properties.get("Policies"))
            is_complete = _is_complete(each)
    for each in stack.resources(*_POLICIES):
        held = each.properties
        if role is not None and role in [*_list(held.get("Roles")), held.get("RoleName")]:
            separate.append(each)
    sam = _list(properties.get("Policies"))
    statements = [*_in_documents(inline), *_in_documents(sam)]
    statements += [each for policy in separate for each in _statements(policy)]
    is_complete &= not any(map(_has_unknowns, [*separate]))
    return Permissions(tuple(statements), frozenset(_sam_writes(sam)), tuple(separate), is_complete)


def _is_complete(role: Resource) -> bool:
    managed = _list(role.properties.get("ManagedPolicyArns"))
    return not _has_unknowns(role) and all(
        isinstance(each, str) and each.endswith(_WITHOUT_STREAMS) for each in managed
    )


def _has_unknowns(resource: Resource) -> bool:
    return any(unknowns(dict(resource.properties)))


def _sam_writes(policies: list[Any]) -> Iterator[str]:
    for each in policies:
        for name in _SAM_WRITES if isinstance(each, Mapping) else ():
            given = each.get(name)
            if isinstance(given, Mapping) and isinstance(given.get("TableName"), str):
                yield given["TableName"]


def _in_documents(policies: list[Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the statements of inline policies; SAM takes a document without a name around it."""
    for each in policies:
        if isinstance(each, Mapping):
            document = each.get("PolicyDocument", each)
            yield from _of_document(document)


def _statements(policy: Resource) -> Iterator[Mapping[str, Any]]:
    yield from _of_document(policy.properties.get("PolicyDocument"))


def _of_document(document: Any) -> Iterator[Mapping[str, Any]]:
    found = document.get("Statement") if isinstance(document, Mapping) else None
    for each in _list(found):
        if isinstance(each, Mapping):
            yield each


def _reads_streams(statements: Iterator[Mapping[str, Any]]) -> bool:
    return any(
        fnmatchcase(_READ, str(action).lower())
        for each in statements
        if each.get("Effect") == "Allow"
        for action in _list(each.get("Action"))
    )


def _covers(pattern: Any, arn: str) -> bool:
    return isinstance(pattern, str) and fnmatchcase(arn, pattern)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
