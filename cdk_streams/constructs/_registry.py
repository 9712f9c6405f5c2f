"""The stack, stage and app of a construct, and what the constructs of one app share.

Both are kept on CDK's own objects, as attributes: they live as long as the app, and two apps in one
process share nothing. (jsii holds every object of CDK until the process ends, so the attribute of a
stack is there whenever the stack is.) Each question to Node takes its time and is asked once.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Final

from aws_cdk import Stack, Stage, Token
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct, IConstruct

from cdk_streams.constructs._consumer_view import ConsumerView
from cdk_streams.errors import SourceError

__all__ = ["Placement", "Registry", "placement_of"]

_PLACEMENT: Final = "_cdk_streams_placement"
_LAST_ASSEMBLY: Final = "cdk-streams:last-assembly"
_REGISTRY: Final = "_cdk_streams_registry"


class Registry:
    """What is known of one app: its consumers in the order of construction, and declared streams.

    Of tables that another app or tool defines, `view_types` holds what the app says of their
    streams, and `look_ups` the names that they are looked up by. `validated` are the stages whose
    consumers are checked when CDK validates them.
    """

    def __init__(self) -> None:
        self.consumers: dict[ConsumerView, Placement] = {}
        self.view_types: dict[dynamodb.ITable, dynamodb.StreamViewType] = {}
        self.look_ups: dict[dynamodb.ITable, str] = {}
        self.validated: set[Stage] = set()


class Placement:
    """The place of a stack: its stage, the root of its tree, and the folders of its output."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack

    @cached_property
    def stage(self) -> Stage | None:
        """The stage or app; None in a tree that has neither, which is never synthesized."""
        return Stage.of(self.stack)

    @cached_property
    def root(self) -> IConstruct:
        """The root of the tree, an `App` in all but tests."""
        return self.stack.node.root

    @cached_property
    def asset_folder(self) -> Path | None:
        """The folder of the cloud assembly that the stage's assets go into."""
        return None if self.stage is None else Path(self.stage.asset_outdir)

    @cached_property
    def last_template(self) -> Path | None:
        """The path of the stack's last template, which need not be there.

        It is where the last synthesis left it, or in the folder of the context
        `cdk-streams:last-assembly`.
        """
        if self.stage is None:
            return None
        folder = Path(self.stage.outdir)
        kept = self.stack.node.try_get_context(_LAST_ASSEMBLY)
        if kept is not None and isinstance(self.root, Stage):
            folder = Path(kept, folder.relative_to(self.root.outdir))
        return folder / self.stack.template_file

    @cached_property
    def region(self) -> str | None:
        """The region of the stack; None where the deployment decides."""
        region = self.stack.region
        return None if Token.is_unresolved(region) else region

    @cached_property
    def account(self) -> str | None:
        """The account of the stack; None where the deployment decides."""
        account = self.stack.account
        return None if Token.is_unresolved(account) else account

    @property
    def registry(self) -> Registry:
        """What is known of the app."""
        registry: Registry = vars(self.root).setdefault(_REGISTRY, Registry())
        return registry


def placement_of(scope: IConstruct) -> Placement:
    """Return the placement of a scope; SourceError for one that is in no stack."""
    if not isinstance(scope, Construct):
        raise SourceError(
            f"scope must be a Stack or a construct in one, got {type(scope).__name__}; the scope "
            "comes first, then the id"
        )
    placement: Placement | None = vars(scope).get(_PLACEMENT)
    if placement is None:
        try:
            stack = Stack.of(scope)
        except RuntimeError:  # How an error of CDK reaches Python.
            raise SourceError(
                f"scope must be a Stack or a construct in one, got {type(scope).__name__}; "
                "pass a Stack"
            ) from None
        placement = vars(stack).setdefault(_PLACEMENT, Placement(stack))
        vars(scope)[_PLACEMENT] = placement
    return placement
