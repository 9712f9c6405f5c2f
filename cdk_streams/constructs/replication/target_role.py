"""`ReplicaTargetRole`: the role by which a replica in one account writes a table of another."""

from __future__ import annotations

from typing import Final

from aws_cdk import Token
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from cdk_streams._argument_checks import check_instance
from cdk_streams.constructs.replication._target import WRITE_ACTIONS, WRITE_KEY_ACTIONS
from cdk_streams.errors import SettingsError

__all__ = ["ReplicaTargetRole"]

_DIGITS: Final = 12


class ReplicaTargetRole(iam.Role):
    """A role of the target's account that may put items into the target, and nothing else.

    Deploy the stack of this role first: `TableReplica(role="arn:…:role/…")` in the source's
    account may name it before it exists, but every write fails until it does.

    Args:
        scope: The parent construct, in a stack of the target's account.
        id: The construct id within that scope.
        table: The target, with its key when it is encrypted with one.
        source_account: The account whose `TableReplica` may assume the role.
        role_name: The name of the role, by which the other stack finds it.
        encryption_key: The target's KMS key, when the table is an import that does not know it.

    Raises:
        SettingsError: An account that is not twelve digits.
        SourceError: A table that is none of CDK's.

    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - CDK's name for it
        *,
        table: dynamodb.ITable,
        source_account: str,
        role_name: str | None = None,
        encryption_key: kms.IKey | None = None,
    ) -> None:
        check_instance("table", table, Construct, "import one with TableV2.from_table_arn")
        if not _is_account(source_account):
            raise SettingsError(
                f"source_account must be the twelve digits of an account as text, got "
                f"{source_account!r}; write '111122223333'"
            )
        super().__init__(
            scope,
            id,
            assumed_by=iam.AccountPrincipal(source_account),
            role_name=role_name,
            description=f"Writes the replica {table.node.id} from account {source_account}",
        )
        iam.Grant.add_to_principal(
            grantee=self, actions=list(WRITE_ACTIONS), resource_arns=[table.table_arn]
        )
        key = encryption_key or table.encryption_key
        if key is not None:
            key.grant(self, *WRITE_KEY_ACTIONS)


def _is_account(given: object) -> bool:
    if not isinstance(given, str):
        return False
    return Token.is_unresolved(given) or (len(given) == _DIGITS and given.isdecimal())
