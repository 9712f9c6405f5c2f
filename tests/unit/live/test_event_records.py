from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from cdk_streams.live._event_records import event_record

ARN = "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/2026-01-01T00:00:00.000"


def from_api(**change: Any) -> dict[str, Any]:
    return {
        "eventID": "e-1",
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "dynamodb": {
            "ApproximateCreationDateTime": datetime(2026, 9, 17, 14, 12, 8, tzinfo=UTC),
            "Keys": {"pk": {"S": "a"}},
            "SequenceNumber": "3800002862244222465263",
            "SizeBytes": 61,
            "StreamViewType": "NEW_IMAGE",
            **change,
        },
    }


def test_a_record_gets_lambdas_keys_in_lambdas_order() -> None:
    record = event_record(from_api(), ARN)
    assert list(record) == [
        "eventID",
        "eventName",
        "eventVersion",
        "eventSource",
        "awsRegion",
        "dynamodb",
        "eventSourceARN",
    ]
    assert record["eventSourceARN"] == ARN


def test_the_time_is_a_number_of_seconds() -> None:
    made = event_record(from_api(), ARN)["dynamodb"]["ApproximateCreationDateTime"]
    assert (type(made), made) == (float, 1789654328.0)


def test_bytes_are_base64_text_at_any_depth() -> None:
    image = {
        "b": {"B": b"foobar"},
        "bs": {"BS": [b"a", b"b"]},
        "l": {"L": [{"B": b"a"}, {"M": {"x": {"B": b"b"}}}]},
    }
    assert event_record(from_api(NewImage=image), ARN)["dynamodb"]["NewImage"] == {
        "b": {"B": "Zm9vYmFy"},
        "bs": {"BS": ["YQ==", "Yg=="]},
        "l": {"L": [{"B": "YQ=="}, {"M": {"x": {"B": "Yg=="}}}]},
    }


def test_other_values_stay_as_they_are() -> None:
    image: dict[str, Any] = {
        "s": {"S": "x"},
        "n": {"N": "12.50"},
        "t": {"BOOL": False},
        "z": {"NULL": True},
        "ss": {"SS": ["a"]},
        "m": {"M": {}},
    }
    assert event_record(from_api(OldImage=image), ARN)["dynamodb"]["OldImage"] == image


def test_an_absent_image_stays_absent() -> None:
    assert "OldImage" not in event_record(from_api(), ARN)["dynamodb"]


def test_a_deletion_by_time_to_live_names_who_deleted() -> None:
    record = from_api() | {
        "eventName": "REMOVE",
        "userIdentity": {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"},
    }
    assert event_record(record, ARN)["userIdentity"] == {
        "type": "Service",
        "principalId": "dynamodb.amazonaws.com",
    }
    assert "userIdentity" not in event_record(from_api(), ARN)
