"""The errors of cdk_streams: one class a situation, each a `StreamsError`.

    StreamsError
    ├── SettingsError   values of an event source mapping that Lambda would refuse
    ├── FilterError     a filter pattern that Lambda would refuse
    └── SourceError     a table, stream or file that is not what was needed

What talks to an AWS API adds its own below `StreamsError`, beside the code that raises them.
"""

from __future__ import annotations

__all__ = ["FilterError", "SettingsError", "SourceError", "StreamsError"]


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
        super().__init__(f"{where}: {why}")


class SourceError(StreamsError, ValueError):
    """A table without a stream, a file that is not there: what was given cannot work."""
