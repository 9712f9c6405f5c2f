"""The errors of cdk_streams: one class a situation, each a `StreamsError`.

StreamsError
├── SettingsError   values of an event source mapping that Lambda would refuse
├── FilterError     a filter pattern that Lambda would refuse
├── SourceError     a table, stream or record source that cannot work
│   ├── TemplateError   a CloudFormation template that lacks a value, or that is refused
│   └── CodeError       a function's code that cannot ship: its entry, an import, a requirement
├── DeploymentError a deployed stack that lacks what is needed
└── ToolError       a program or package that is missing, or that failed
├── cdk_streams.local.CdkCommandError
└── cdk_streams.local.LocalAwsError
"""

from __future__ import annotations

__all__ = [
    "CodeError",
    "DeploymentError",
    "FilterError",
    "SettingsError",
    "SourceError",
    "StreamsError",
    "TemplateError",
    "ToolError",
]


class StreamsError(Exception):
    """Any error that cdk_streams raises about what its caller gave it."""


class SettingsError(StreamsError, ValueError):
    """Settings that Lambda would refuse; `faults` has one sentence for each, all found at once."""

    def __init__(self, *faults: str) -> None:
        self.faults = faults
        super().__init__("\n".join(faults))


class FilterError(StreamsError, ValueError):
    """A filter pattern that Lambda would refuse.

    `where` is the place in the pattern (`$.dynamodb.NewImage.price.N[0]`), `why` the reason with
    what to write instead.
    """

    def __init__(self, why: str, *, where: str = "$") -> None:
        self.where = where
        self.why = why
        # "$" is the pattern as a whole: there is no place to name.
        super().__init__(why if where == "$" else f"{where}: {why}")


class SourceError(StreamsError, ValueError):
    """A table without a stream, a record that cannot be read: what was given cannot work."""


class DeploymentError(StreamsError):
    """A deployed stack that lacks what is needed: a mapping, its destination, a function's code."""


class ToolError(StreamsError):
    """A program or package that is missing, or that failed: npm, pip, uv, Java, the cdk command."""


class TemplateError(SourceError):
    """A template that CloudFormation would refuse, or a value that only a deployment knows.

    The message begins with the place in the template: `Mapping.BatchSize: …`.
    """


class CodeError(SourceError):
    """A function's code that cannot ship: its entry or handler, an import, or a requirement."""
