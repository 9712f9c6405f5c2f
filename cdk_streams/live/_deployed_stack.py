"""What a deployed stack's consumers are: settings from the template, names from the deployment.

The synthesized template holds every setting of a mapping; a local AWS forgets some. What only the
deployment knows (the stream's ARN, the mapping's UUID, variables that name other resources) is
asked for.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cdk_streams.arns import Arn, is_service
from cdk_streams.errors import DeploymentError, SettingsError
from cdk_streams.lambda_local import DeployedFunction
from cdk_streams.live._destinations import Client
from cdk_streams.mapping import MappingSettings
from cdk_streams.poller import EventSourceMapping

__all__ = ["DeployedConsumer", "SynthesizedStack", "read_consumers", "read_stacks"]

_MAPPING = "AWS::Lambda::EventSourceMapping"


@dataclass(frozen=True, slots=True)
class SynthesizedStack:
    """A stack of a cloud assembly; `resources` are its template's, by logical id."""

    name: str
    assembly: Path
    resources: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class DeployedConsumer:
    """A mapping that can be run here; `name` is its logical id."""

    name: str
    function: DeployedFunction
    mapping: EventSourceMapping


def read_stacks(assembly: Path) -> tuple[SynthesizedStack, ...]:
    """Return every stack that `cdk synth` left in the folder `assembly`, those of stages too."""
    return tuple(_stacks(assembly))


def _stacks(assembly: Path) -> Iterator[SynthesizedStack]:
    manifest = json.loads((assembly / "manifest.json").read_text())
    for name, artifact in manifest.get("artifacts", {}).items():
        properties = artifact.get("properties", {})
        match artifact["type"]:
            case "aws:cloudformation:stack":
                template = json.loads((assembly / properties["templateFile"]).read_text())
                stack_name = properties.get("stackName", name)
                yield SynthesizedStack(stack_name, assembly, template.get("Resources", {}))
            case "cdk:cloud-assembly":
                yield from _stacks(assembly / properties["directoryName"])


def read_consumers(stack: SynthesizedStack, client: Client) -> tuple[DeployedConsumer, ...]:
    """Return the consumers of DynamoDB streams in a stack that is deployed.

    Raises:
        DeploymentError: One cannot be run on this machine; the message says which and why.
        SettingsError: A setting is out of range, or a reference that only a deployment resolves.

    """
    mappings = [name for name, each in stack.resources.items() if each["Type"] == _MAPPING]
    if not mappings:
        return ()
    physical = _physical_ids(client("cloudformation"), stack.name)
    lambda_api = client("lambda")
    consumers: list[DeployedConsumer] = []
    for name in mappings:
        deployed = lambda_api.get_event_source_mapping(UUID=physical[name])
        if is_service(deployed.get("EventSourceArn"), "dynamodb"):
            function = _function(stack, physical, name, deployed["FunctionArn"], lambda_api)
            consumers.append(DeployedConsumer(name, function, _mapping(stack, name, deployed)))
    return tuple(consumers)


def _mapping(stack: SynthesizedStack, name: str, deployed: Mapping[str, Any]) -> EventSourceMapping:
    try:
        settings = MappingSettings.from_template(stack.resources[name]["Properties"])
    except SettingsError as error:
        raise SettingsError(*(f"{name}: {fault}" for fault in error.faults)) from None
    on_failure = ((deployed.get("DestinationConfig") or {}).get("OnFailure") or {}).get(
        "Destination"
    )
    if settings.on_failure is not None and not on_failure:
        raise DeploymentError(
            f"{name}: the deployed mapping lacks the failure destination of the template"
        )
    return EventSourceMapping(
        settings=replace(settings, on_failure=on_failure or None),
        function_arn=deployed["FunctionArn"],
        stream_arn=deployed["EventSourceArn"],
        uuid=deployed["UUID"],
        executed_version=_version(deployed["FunctionArn"]),
        ids=lambda _number: str(uuid.uuid4()),
    )


def _function(
    stack: SynthesizedStack,
    physical: Mapping[str, str],
    mapping: str,
    function_arn: str,
    lambda_api: Any,
) -> DeployedFunction:
    function_name = Arn.parse(function_arn).name
    logical = next(
        (
            each
            for each, name in physical.items()
            if name == function_name and stack.resources[each]["Type"] == "AWS::Lambda::Function"
        ),
        None,
    )
    if logical is None:
        raise DeploymentError(
            f"{mapping}: its function must be in the stack {stack.name}, got {function_name} from "
            "outside; its code is not here to be run"
        )
    deployed = lambda_api.get_function_configuration(FunctionName=function_name)
    properties = stack.resources[logical]["Properties"]
    runtime = deployed.get("Runtime") or "a container image"
    if not runtime.startswith("python"):
        raise DeploymentError(
            f"{logical}: a function that is run here must have a Python runtime, got {runtime}"
        )
    reserved = properties.get("ReservedConcurrentExecutions")
    return DeployedFunction(
        asset=_asset(stack, logical),
        handler=deployed["Handler"],
        name=function_name,
        arn=function_arn,
        runtime=runtime,
        environment=(deployed.get("Environment") or {}).get("Variables") or {},
        layers=tuple(_asset(stack, _layer(logical, each)) for each in properties.get("Layers", ())),
        timeout_s=deployed["Timeout"],
        memory_mb=deployed["MemorySize"],
        reserved_concurrency=reserved if reserved is None else int(reserved),
    )


def _layer(function: str, reference: Any) -> str:
    match reference:
        case {"Ref": str(logical)}:
            return logical
        case _:
            raise DeploymentError(
                f"{function}: its layers must be in its own stack to be run here, got {reference}"
            )


def _asset(stack: SynthesizedStack, logical: str) -> Path:
    """Return the folder or zip file that was staged for a function or a layer."""
    staged = stack.resources[logical].get("Metadata", {}).get("aws:asset:path")
    if staged is None:
        raise DeploymentError(
            f"{logical}: its code must be an asset to be run here, got inline code or a bucket; "
            "use Code.from_asset, and leave asset metadata on"
        )
    # A relative path starts at the template's folder.
    found = Path(stack.assembly, staged)
    if not found.exists():
        raise DeploymentError(f"{logical}: its staged code must be at {found}, got nothing there")
    return found


def _physical_ids(cloudformation: Any, stack_name: str) -> dict[str, str]:
    """Return the physical id of each resource of a deployed stack by its logical id."""
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack_name)
    return {
        each["LogicalResourceId"]: each.get("PhysicalResourceId", "")
        for page in pages
        for each in page["StackResourceSummaries"]
    }


def _version(function_arn: str) -> str:
    """Return the version that failure records name: a number, or `$LATEST`.

    Behind an alias it counts as `$LATEST`, which is what runs here: the code staged last.
    """
    qualifier = Arn.parse(function_arn).qualifier
    return qualifier if qualifier.isdecimal() else "$LATEST"
