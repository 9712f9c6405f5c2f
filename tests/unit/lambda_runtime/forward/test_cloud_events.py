"""Events: CloudEvents 1.0 that lose nothing, and come back as the changes they were made of."""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from lambda_runtime import (
    AttributeValueError,
    EventError,
    Insert,
    MissingImageError,
    Modify,
    Router,
    encode,
    parse,
)
from lambda_runtime.forward import ForwardError
from lambda_runtime.forward._events import Event

TABLE_ARN = "arn:aws:dynamodb:eu-west-1:111122223333:table/orders"


def event_of(record: dict[str, Any], **options: Any) -> Any:
    (change,) = parse({"Records": [record]})
    return json.loads(Event(change, **options).text(), parse_float=Decimal)


def test_an_event_has_the_attributes_of_cloudevents(make_record: Any) -> None:
    event = event_of(
        make_record(1, "MODIFY", new={"status": {"S": "PAID"}}, old={"status": {"S": "NEW"}})
    )

    assert event == {
        "specversion": "1.0",
        "id": "00000000000000000000000000000001",
        "source": TABLE_ARN,
        "type": "com.amazonaws.dynamodb.MODIFY",
        "subject": "item-1",
        "time": "2026-09-17T14:12:08+00:00",
        "datacontenttype": "application/json",
        "dataschema": "urn:cdk-streams:item-change:1",
        "sequence": "3800002862244222465264".zfill(40),
        "streamarn": f"{TABLE_ARN}/stream/2026-01-02T03:04:05.678",
        "viewtype": "NEW_AND_OLD_IMAGES",
        "data": {
            "keys": {"pk": "item-1"},
            "before": {"pk": "item-1", "status": "NEW"},
            "after": {"pk": "item-1", "status": "PAID"},
            "changed": ["status"],
            "size_bytes": 61,
        },
    }


def test_source_and_schema_are_the_forwarder_s(make_record: Any) -> None:
    event = event_of(make_record(), source="shop.orders", schema="urn:shop:order:2")

    assert (event["source"], event["dataschema"]) == ("shop.orders", "urn:shop:order:2")


@pytest.mark.parametrize(
    ("keys", "subject"),
    [
        ({"pk": {"S": "o-1"}}, "o-1"),
        ({"pk": {"S": "a/b"}, "sk": {"S": "c"}}, "a%2Fb/c"),
        ({"pk": {"S": "a"}, "sk": {"S": "b/c"}}, "a/b%2Fc"),
        ({"sk": {"N": "7"}, "pk": {"S": "ü"}}, "%C3%BC/7"),
        ({"id": {"B": "aGk="}}, "aGk%3D"),
    ],
)
def test_no_two_keys_have_one_subject(make_record: Any, keys: dict[str, Any], subject: str) -> None:
    assert event_of(make_record(keys=keys))["subject"] == subject


@pytest.mark.parametrize(
    ("number", "told"),
    [
        ("12.5", Decimal("12.5")),
        ("9007199254740991", 9007199254740991),
        ("9007199254740992", "9007199254740992"),
        ("0.1", Decimal("0.1")),
        ("12345678901234567890.123", "12345678901234567890.123"),
        ("100000000000000000000", "100000000000000000000"),
        ("1E+125", "1E+125"),
        ("-1E-130", Decimal("-1E-130")),
    ],
)
def test_a_number_that_a_double_would_change_is_a_string_of_its_digits(
    make_record: Any, number: str, told: Any
) -> None:
    data = event_of(make_record(new={"total": {"N": number}}))["data"]

    assert data["after"]["total"] == told
    assert data.get("types") == ({"/after/total": "N"} if isinstance(told, str) else None)


def test_types_that_json_has_no_form_for_are_told_by_pointer(make_record: Any) -> None:
    new = {
        "photo": {"B": "aGk="},
        "a/b~c": {"SS": ["y", "x"]},
        "sizes": {"NS": ["2", "10"]},
        "lines": {"L": [{"M": {"blob": {"B": "AA=="}}}]},
    }
    data = event_of(make_record(new=new))["data"]

    assert data["after"] == {
        "pk": "item-1",
        "photo": "aGk=",
        "a/b~c": ["x", "y"],
        "sizes": ["2", "10"],
        "lines": [{"blob": "AA=="}],
    }
    assert data["types"] == {
        "/after/photo": "B",
        "/after/a~1b~0c": "SS",
        "/after/sizes": "NS",
        "/after/lines/0/blob": "B",
    }


def test_text_outside_ascii_is_escaped_so_that_every_service_takes_it(make_record: Any) -> None:
    (change,) = parse({"Records": [make_record(new={"name": {"S": "żółw \uffff"}})]})

    text = Event(change).text()

    assert text.isascii()
    assert json.loads(text)["data"]["after"]["name"] == "żółw \uffff"


def test_an_event_names_no_changed_attributes_where_an_image_is_missing(make_record: Any) -> None:
    record = make_record(1, "MODIFY")
    del record["dynamodb"]["OldImage"]

    data = event_of(record)["data"]

    assert data["before"] is None
    assert "changed" not in data


def test_a_value_that_is_none_is_refused_with_its_path(make_record: Any) -> None:
    (change,) = parse({"Records": [make_record(new={"total": {"N": "x"}})]})

    with pytest.raises(AttributeValueError, match=r"\$.Records\[0\].dynamodb.NewImage.total: "):
        Event(change)


def test_a_record_without_a_stream_s_arn_makes_no_event(make_record: Any) -> None:
    record = make_record()
    del record["eventSourceARN"]
    (change,) = parse({"Records": [record]})

    with pytest.raises(EventError, match=r"eventSourceARN: got nothing"):
        Event(change)


def test_a_key_without_a_type_is_refused(make_record: Any) -> None:
    record = make_record(keys={"pk": {"S": "a"}})
    record["dynamodb"]["Keys"] = {"pk": {}}
    (change,) = parse({"Records": [record]})

    with pytest.raises(ForwardError, match="has a value without a type"):
        Event(change)


# The other side.


def arrivals(text: str) -> dict[str, Any]:
    """What a Lambda function is called with when an event comes by way of each service."""
    event = json.loads(text)
    encoded = base64.b64encode(text.encode()).decode()
    bus = {"version": "0", "detail-type": event["type"], "source": "x", "detail": event}
    notification = {"Type": "Notification", "Message": text}
    sqs = {"messageId": "1", "eventSource": "aws:sqs", "body": text}
    kinesis = {"eventSource": "aws:kinesis", "kinesis": {"data": encoded}}
    return {
        "an event bus": bus,
        "a queue": {"Records": [sqs]},
        "a topic": {"Records": [{"EventSource": "aws:sns", "Sns": {"Message": text}}]},
        "a topic's queue": {"Records": [{**sqs, "body": json.dumps(notification)}]},
        "a bus's queue": {"Records": [{**sqs, "body": json.dumps(bus)}]},
        "a Kinesis stream": {"Records": [kinesis]},
        "a pipe from a queue": [sqs],
        "a pipe from Kinesis": [{"eventSource": "aws:kinesis", "data": encoded}],
        "a forwarder's call": [event],
        "an execution": event,
        "a line of a file": {"body": text},
    }


BY_ARRIVAL = list(arrivals('{"type": ""}'))


@pytest.mark.parametrize("way", BY_ARRIVAL)
@pytest.mark.parametrize("expired", [False, True])
def test_parse_gives_the_same_change_whatever_way_it_came(
    make_record: Any, way: str, *, expired: bool
) -> None:
    everything = {
        "text": {"S": "ü"},
        "number": {"N": "12345678901234567890.123"},
        "small": {"N": "12.5"},
        "bytes": {"B": "aGk="},
        "set": {"NS": ["1", "2"]},
        "nested": {"M": {"list": {"L": [{"NULL": True}, {"BOOL": False}, {"SS": ["x"]}]}}},
    }
    record = make_record(3, "REMOVE", old=everything, expired=expired)
    (change,) = parse({"Records": [record]})

    (arrived,) = parse(arrivals(Event(change).text())[way])

    assert arrived == change
    assert arrived.record == change.record
    assert getattr(arrived, "expired", None) is expired


def test_a_pipe_s_bare_list_of_stream_records_is_read_as_it_is(make_event: Any) -> None:
    event = make_event(3)

    assert parse(event["Records"]) == parse(event)
    assert parse([]) == []


def test_a_router_takes_a_pipe_s_bare_list(
    make_event: Any, failed_at: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STREAM_PARTIAL_RESPONSE", "1")
    on = Router()
    handled: list[str] = []

    @on.insert
    def created(change: Insert) -> None:
        if change.keys["pk"] == "item-2":
            raise ValueError
        handled.append(change.keys["pk"])

    assert on.handler(make_event(3)["Records"]) == failed_at(2)
    assert handled == ["item-1"]


def test_an_image_that_was_left_out_says_so_when_it_is_read(make_record: Any) -> None:
    (change,) = parse({"Records": [make_record(1, "MODIFY")]})
    (arrived,) = parse(json.loads(Event(change).text(("before", "after"))))

    with pytest.raises(MissingImageError, match="too large for its target, so its new image was"):
        _ = arrived.new


def test_the_changes_of_one_event_may_come_by_several_messages(make_record: Any) -> None:
    records = [make_record(1), make_record(2, "MODIFY")]
    changes = parse({"Records": records})
    bodies = [{"body": Event(change).text()} for change in changes]

    insert, modify = parse({"Records": bodies})

    assert isinstance(insert, Insert)
    assert isinstance(modify, Modify)
    assert [insert, modify] == changes


@pytest.mark.parametrize("lost", ["id", "type", "time", "sequence", "streamarn", "data"])
def test_another_cloudevent_is_refused_with_its_place(make_record: Any, lost: str) -> None:
    event = event_of(make_record())
    del event[lost]

    with pytest.raises(EventError, match=r"^\$\.detail: got another CloudEvent, expected"):
        parse({"detail-type": "x", "detail": event})


SCALARS = st.one_of(
    st.text(),
    st.binary(),
    st.booleans(),
    st.none(),
    st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**20)),
    st.integers(-(10**37), 10**37),
)
SETS = st.one_of(
    st.frozensets(st.text(), min_size=1),
    st.frozensets(st.binary(), min_size=1),
    st.frozensets(st.integers(-(10**30), 10**30), min_size=1),
)
VALUES = st.recursive(
    st.one_of(SCALARS, SETS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(attributes=st.dictionaries(st.text(min_size=1), VALUES, max_size=5))
def test_no_item_changes_on_its_way(attributes: dict[str, Any]) -> None:
    image = {**encode(attributes)["M"], "pk": {"S": "a"}}
    record = {
        "eventID": "1",
        "eventName": "INSERT",
        "eventSourceARN": f"{TABLE_ARN}/stream/1",
        "dynamodb": {
            "Keys": {"pk": {"S": "a"}},
            "NewImage": image,
            "SequenceNumber": "1",
            "ApproximateCreationDateTime": 1.0,
        },
    }
    (change,) = parse({"Records": [record]})

    # Through Lambda, which makes doubles of numbers.
    (arrived,) = parse(json.loads(Event(change).text()))

    assert arrived.new == change.new
