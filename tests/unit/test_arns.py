from __future__ import annotations

import pytest

from cdk_streams.arns import Arn, is_service
from cdk_streams.errors import SourceError

STREAM = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders/stream/2026-01-01T00:00:00.000"


@pytest.mark.parametrize(
    ("text", "name", "qualifier"),
    [
        ("arn:aws:sqs:eu-west-1:123456789012:failed", "failed", ""),
        ("arn:aws:s3:::failed-records", "failed-records", ""),
        ("arn:aws:lambda:eu-west-1:123456789012:function:audit", "audit", ""),
        ("arn:aws-cn:lambda:cn-north-1:123456789012:function:audit:live", "audit", "live"),
        ("arn:aws:dynamodb:eu-west-1:123456789012:table/orders", "orders", ""),
        (STREAM, "orders", "stream"),
    ],
)
def test_an_arn_names_its_resource(text: str, name: str, qualifier: str) -> None:
    arn = Arn.parse(text)
    assert (arn.name, arn.qualifier) == (name, qualifier)
    assert str(arn) == text


@pytest.mark.parametrize(
    "text",
    ["", "orders", "arn:aws:sqs", "arn:aws:sqs:eu-west-1:123456789012:", "https://a:b:c:d:e"],
)
def test_what_is_no_arn_is_refused(text: str) -> None:
    with pytest.raises(SourceError, match="an ARN must read arn:partition:service"):
        Arn.parse(text)


def test_a_value_is_of_a_service_only_when_it_is_its_arn() -> None:
    assert is_service(STREAM, "dynamodb")
    others: tuple[object, ...] = (None, {}, "dynamodb", "arn:aws:s3:::x")
    assert not any(is_service(each, "dynamodb") for each in others)
