"""What a deployed stack's consumers are: settings from the template, names from the deployment.

The synthesized template holds every setting of a mapping; a local AWS forgets some. What only the
deployment knows (the stream's ARN, the mapping's UUID, variables that name other resources) is
asked for.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cdk_streams.arns import Arn, is_service
from cdk_streams.errors import DeploymentError
from cdk_streams.lambda_local import DeployedFunction
from cdk_streams.live._destinations import Client
from cdk_streams.poller import EventSourceMapping
from cdk_streams.template import MappingResource, StackTemplate, known, read, settings_of

__all__ = ["DeployedConsumer", "SynthesizedStack", "read_consumers", "read_stacks"]


@dataclass(frozen=True, slots=True)
class SynthesizedStack:
    """A stack of a cloud assembly: its name, the assembly's folder and its template."""

    name: str
    assembly: Path
    template: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DeployedConsumer:
    """A mapping that can be run here; `name` is its logical id."""

    name: str
    function: DeployedFunction
    mapping: EventSourceMapping


def read_stacks(assembly: Path) -> tuple[SynthesizedStack, ...]:
    """Return every stack that `cdk synth` left in the folder `assembly`, those of stages too.

    Raises:
        OSError: The folder has no `manifest.json`, or a template that it names cannot be read.

    """
    return tuple(_stacks(assembly))


def _stacks(assembly: Path) -> Iterator[SynthesizedStack]:
    manifest = json.loads((assembly / "manifest.json").read_text())
    for name, artifact in manifest.get("artifacts", {}).items():
        properties = artifact.get("properties", {})
        match artifact["type"]:
            case "aws:cloudformation:stack":
                template = json.loads((assembly / properties["templateFile"]).read_text())
                yield SynthesizedStack(properties.get("stackName", name), assembly, template)
            case "cdk:cloud-assembly":
                yield from _stacks(assembly / properties["directoryName"])


def read_consumers(
    stack: SynthesizedStack,
    client: Client,
    *,
    on_skip: Callable[[str], None] | None = None,
) -> tuple[DeployedConsumer, ...]:
    """Return the consumers of DynamoDB streams in a stack that is deployed.

    A consumer that cannot be run on this machine (its function has another runtime than Python,
    inline code, or an image) is left out, and `on_skip` gets the sentence that says why.

    Raises:
        DeploymentError: One cannot be run on this machine, and there is no `on_skip`.
        TemplateError: A setting that the template does not tell.
        SettingsError: A setting that Lambda refuses.

    """
    if not read(stack.template).mappings:
        return ()
    cloudformation, lambda_api = client("cloudformation"), client("lambda")
    template = _as_deployed(stack, cloudformation)
    physical = _physical_ids(cloudformation, stack.name)
    consumers: list[DeployedConsumer] = []
    for name, mapping in template.mappings.items():
        if mapping.absent is not None:
            continue
        deployed = lambda_api.get_event_source_mapping(UUID=physical[name])
        if not is_service(deployed.get("EventSourceArn"), "dynamodb"):
            continue
        try:
            function = _function(stack, template, mapping, deployed["FunctionArn"], lambda_api)
        except DeploymentError as error:
            if on_skip is None:
                raise
            on_skip(f"{name}: {error}")
        else:
            consumers.append(DeployedConsumer(name, function, _mapping(mapping, deployed)))
    return tuple(consumers)


def _as_deployed(stack: SynthesizedStack, cloudformation: Any) -> StackTemplate:
    """Read the template with the parameters, Region and account that it was deployed with."""
    (deployed,) = cloudformation.describe_stacks(StackName=stack.name)["Stacks"]
    arn = Arn.parse(deployed["StackId"])
    declared = stack.template.get("Parameters") or {}
    parameters = {
        each["ParameterKey"]: each.get("ResolvedValue", each.get("ParameterValue", ""))
        for each in deployed.get("Parameters") or ()
        if each["ParameterKey"] in declared
    }
    return read(stack.template, parameters=parameters, region=arn.region, account=arn.account)


def _mapping(mapping: MappingResource, deployed: Mapping[str, Any]) -> EventSourceMapping:
    settings = settings_of(mapping)
    on_failure = ((deployed.get("DestinationConfig") or {}).get("OnFailure") or {}).get(
        "Destination"
    )
    if settings.on_failure is not None and not on_failure:
        raise DeploymentError(
            f"{mapping.logical_id}: the deployed mapping lacks the failure destination of the "
            "template"
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
    template: StackTemplate,
    mapping: MappingResource,
    function_arn: str,
    lambda_api: Any,
) -> DeployedFunction:
    name, logical = Arn.parse(function_arn).name, mapping.function
    if logical is None:
        raise DeploymentError(
            f"{mapping.logical_id}: its function must be in the stack {stack.name}, got {name} "
            "from outside; its code is not here to be run"
        )
    deployed = lambda_api.get_function_configuration(FunctionName=name)
    function = template.functions[logical]
    runtime = deployed.get("Runtime") or "a container image"
    if not runtime.startswith("python"):
        raise DeploymentError(
            f"{logical}: a function that is run here must have a Python runtime, got {runtime}"
        )

    def asset(of: str) -> Path:
        return _asset(of, template.assets.get(of), stack.assembly)

    return DeployedFunction(
        asset=asset(logical),
        handler=deployed["Handler"],
        name=name,
        arn=function_arn,
        runtime=runtime,
        environment=(deployed.get("Environment") or {}).get("Variables") or {},
        layers=tuple(asset(_layer(logical, each)) for each in function.layers),
        timeout_s=deployed["Timeout"],
        memory_mb=deployed["MemorySize"],
        reserved_concurrency=known(function.reserved_concurrency),
    )


def _layer(function: str, reference: Any) -> str:
    match reference:
        case {"Ref": str(logical)}:
            return logical
        case _:
            raise DeploymentError(
                f"{function}: its layers must be in its own stack to be run here, got {reference}"
            )


def _asset(logical: str, staged: str | None, assembly: Path) -> Path:
    """Return the folder or zip file that was staged for a function or a layer."""
    if staged is None:
        raise DeploymentError(
            f"{logical}: its code must be an asset to be run here, got inline code or a bucket; "
            "use Code.from_asset, and leave asset metadata on"
        )
    # A relative path starts at the template's folder.
    found = Path(assembly, staged)
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
