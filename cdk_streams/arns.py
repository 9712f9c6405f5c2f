"""Amazon Resource Names as values.

    Arn.parse("arn:aws:lambda:eu-west-1:123456789012:function:audit:live").qualifier  # "live"

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
"""

from __future__ import annotations

import re
from typing import NamedTuple, Self

from cdk_streams.errors import SourceError

__all__ = ["Arn", "is_service", "partition_of"]

_PARTS = 6
_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}


class Arn(NamedTuple):
    """The parts of an ARN; `region` and `account` are "" where the service has none.

    `resource` is everything behind the account: `function:audit`, `table/orders/stream/2026-…`, and
    of a queue, a topic or a bucket the bare name.
    """

    partition: str
    service: str
    region: str
    account: str
    resource: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the parts of an ARN.

        Raises:
            SourceError: The text is no ARN.

        """
        parts = text.split(":", _PARTS - 1)
        if len(parts) < _PARTS or parts[0] != "arn" or not (parts[1] and parts[2] and parts[5]):
            raise SourceError(
                f"an ARN must read arn:partition:service:region:account:resource, got {text!r}"
            )
        return cls(*parts[1:])

    @property
    def name(self) -> str:
        """The resource's name: `audit` of `function:audit:live`, `orders` of `table/orders`."""
        parts = self._resource_parts
        return parts[1] if len(parts) > 1 else parts[0]

    @property
    def qualifier(self) -> str:
        """What follows the name: a function's version or alias; "" when nothing does."""
        parts = self._resource_parts
        return parts[2] if len(parts) > 2 else ""  # noqa: PLR2004 - type, name, qualifier

    @property
    def _resource_parts(self) -> list[str]:
        # A stream's label holds colons, so the separator is the first one that occurs.
        separator = re.search("[:/]", self.resource)
        return self.resource.split(separator[0]) if separator else [self.resource]

    def __str__(self) -> str:
        return ":".join(("arn", *self))


def partition_of(region: str) -> str:
    """Return the partition that a Region is in: `aws-cn` for `cn-north-1`, `aws` for most.

    It follows from the beginning of the Region's name; a Region that is unknown is in `aws`.
    """
    for prefix, partition in _PARTITIONS.items():
        if region.startswith(prefix):
            return partition
    return "aws"


def is_service(arn: object, service: str) -> bool:
    """Tell whether a value is the ARN of a service, such as `dynamodb`; False for any other."""
    try:
        return isinstance(arn, str) and Arn.parse(arn).service == service
    except SourceError:
        return False
