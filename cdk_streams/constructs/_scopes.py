"""Where a scope stands in the tree; Node is asked once for each scope, not for each construct."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from weakref import WeakKeyDictionary

from aws_cdk import Stack, Stage
from constructs import Construct, IConstruct

__all__ = ["assembly_of", "root_of", "stack_of", "stage_of", "template_of"]

_STACKS: Final = WeakKeyDictionary[Construct, Stack]()
_STAGES: Final = WeakKeyDictionary[Construct, Stage]()
_ROOTS: Final = WeakKeyDictionary[Stage, IConstruct]()
_ASSEMBLIES: Final = WeakKeyDictionary[Stage, Path]()
_TEMPLATES: Final = WeakKeyDictionary[Stack, Path]()


def stack_of(scope: Construct) -> Stack:
    """Return the stack of a scope."""
    if scope not in _STACKS:
        _STACKS[scope] = Stack.of(scope)
    return _STACKS[scope]


def stage_of(scope: Construct) -> Stage | None:
    """Return the stage or app of a scope; None in a tree that has neither."""
    if scope not in _STAGES:
        stage = Stage.of(scope)
        if stage is None:
            return None
        _STAGES[scope] = stage
    return _STAGES[scope]


def root_of(stage: Stage) -> IConstruct:
    """Return the app of a stage."""
    if stage not in _ROOTS:
        _ROOTS[stage] = stage.node.root
    return _ROOTS[stage]


def assembly_of(stage: Stage) -> Path:
    """Return the folder of the assembly that the assets of a stage go into."""
    if stage not in _ASSEMBLIES:
        _ASSEMBLIES[stage] = Path(stage.asset_outdir)
    return _ASSEMBLIES[stage]


def template_of(stack: Stack, stage: Stage) -> Path:
    """Return the place of a stack's template, which the last synthesis may have left there."""
    if stack not in _TEMPLATES:
        _TEMPLATES[stack] = Path(stage.outdir, stack.template_file)
    return _TEMPLATES[stack]
