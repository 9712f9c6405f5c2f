"""The one reader of CloudFormation templates.

    stack = template.read("template.yaml", parameters={"Stage": "prod"})
    stack.mappings["Mapping"].table      # "Orders", a key of stack.tables
    settings_of(stack.mappings["Mapping"]).batch_size

CDK's templates, SAM's (before and after its transform), Serverless's and those written by hand
are read alike. Functions and conditions are worked out; what only a deployment knows, or what
CloudFormation refuses, is an `Unknown` with its reason and place, and `known(value)` raises it.
"""

from __future__ import annotations

from cdk_streams.template._destinations import DestinationResource
from cdk_streams.template._document import Document, load
from cdk_streams.template._functions import FunctionResource
from cdk_streams.template._mappings import MappingResource, settings_of, settings_or_faults
from cdk_streams.template._read import Resource, StackTemplate, read
from cdk_streams.template._tables import TableResource
from cdk_streams.template._values import Unknown, known, unknowns

__all__ = [
    "DestinationResource",
    "Document",
    "FunctionResource",
    "MappingResource",
    "Resource",
    "StackTemplate",
    "TableResource",
    "Unknown",
    "known",
    "load",
    "read",
    "settings_of",
    "settings_or_faults",
    "unknowns",
]
