from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from cdk_streams.testing import FakeDynamoDB, RequestFailed
from lambda_runtime import MissingImageError, parse
from lambda_runtime.replication import (
    Replica,
    ReplicaError,
    Settings,
    TransformError,
    VersionError,
    handler_from_environment,
    use_client,
)
from lambda_runtime.replication._client import client_for

ARN = "arn:aws:dynamodb:eu-west-1:123456789012:table/Orders/stream/2026-01-02T03:04:05.678"
TIME_TO_LIVE = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}


def event(
    name: str,
    number: int,
    *,
    new: dict[str, Any] | None = None,
    old: dict[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    image = new or old or {}
    images = {"NewImage": new, "OldImage": old}
    return {
        "eventID": str(number),
        "eventName": name,
        "eventSourceARN": ARN,
        "dynamodb": {
            "ApproximateCreationDateTime": 1_789_654_328.0,
            "Keys": {"pk": image["pk"]},
            "SequenceNumber": f"{number:021}",
            "StreamViewType": "NEW_AND_OLD_IMAGES",
            **{side: kept for side, kept in images.items() if kept is not None},
        },
        **more,
    }


def order(key: str = "a", **more: Any) -> dict[str, Any]:
    return {"pk": {"S": key}, **more}


@pytest.fixture
def target() -> FakeDynamoDB:
    return FakeDynamoDB({"Copy": ("pk",), "Shaped": ("status", "order")})


def replica(target: FakeDynamoDB, **settings: Any) -> Replica:
    transform = settings.pop("transform", None)
    return Replica(Settings(**{"table": "Copy", **settings}), client=target, transform=transform)


def handle(made: Replica, *records: dict[str, Any]) -> None:
    for change in parse({"Records": [*records]}):
        made.write(change)


def by_status(item: dict[str, Any]) -> dict[str, Any] | None:
    if item.get("status") is None:
        return None
    return {"status": item["status"], "order": item["pk"]}


def test_an_item_is_copied_exactly(target: FakeDynamoDB) -> None:
    digits = "12345678901234567890123456789012345678"
    item = order(
        n={"N": digits},
        raw={"B": "AAEC"},
        many={"BS": ["AAEC"]},
        deep={"L": [{"M": {"x": {"B": "AAEC"}}}, {"NULL": True}]},
    )

    handle(replica(target), event("INSERT", 1, new=item))

    assert target.items("Copy") == [
        {
            "pk": "a",
            "n": Decimal(digits),
            "raw": b"\0\1\2",
            "many": frozenset({b"\0\1\2"}),
            "deep": [{"x": b"\0\1\2"}, None],
        }
    ]


def test_a_delete_leaves_a_tombstone_that_no_older_change_replaces(target: FakeDynamoDB) -> None:
    made = replica(target)
    insert, remove = event("INSERT", 1, new=order()), event("REMOVE", 2, old=order())

    handle(made, remove, insert)

    assert target.items("Copy") == []
    (stored,) = target.stored("Copy")
    assert stored["_stream_deleted"] is True
    assert stored["_stream_expires_at"] == 1_789_654_328 + 15 * 86_400


def test_an_older_change_never_replaces_a_newer_one(target: FakeDynamoDB) -> None:
    made = replica(target)
    old, new = order(n={"N": "1"}), order(n={"N": "2"})

    handle(made, event("MODIFY", 10, old=old, new=new), event("INSERT", 9, new=old))

    assert target.items("Copy") == [{"pk": "a", "n": 2}]


def test_deletes_by_time_to_live_can_be_left_out(target: FakeDynamoDB) -> None:
    made = replica(target, skip_expired=True)

    handle(
        made,
        event("INSERT", 1, new=order()),
        event("REMOVE", 2, old=order(), userIdentity=TIME_TO_LIVE),
    )
    assert target.items("Copy") == [{"pk": "a"}]

    handle(made, event("REMOVE", 3, old=order()))
    assert target.items("Copy") == []


def test_when_a_key_changes_the_item_under_the_old_key_is_removed(target: FakeDynamoDB) -> None:
    made = replica(target, table="Shaped", keys=("status", "order"), transform=by_status)
    placed, paid = order(status={"S": "PLACED"}), order(status={"S": "PAID"})

    handle(made, event("INSERT", 1, new=placed), event("MODIFY", 2, old=placed, new=paid))

    assert target.items("Shaped") == [{"status": "PAID", "order": "a"}]


def test_an_item_that_stands_for_nothing_any_more_is_removed(target: FakeDynamoDB) -> None:
    made = replica(target, table="Shaped", keys=("status", "order"), transform=by_status)
    placed = order(status={"S": "PLACED"})

    handle(made, event("INSERT", 1, new=placed), event("MODIFY", 2, old=placed, new=order()))

    assert target.items("Shaped") == []


def test_two_source_items_with_one_target_key_are_refused(target: FakeDynamoDB) -> None:
    made = replica(
        target, table="Copy", keys=("pk",), transform=lambda _: {"pk": "the same for all"}
    )
    handle(made, event("INSERT", 1, new=order("a")))

    with pytest.raises(ReplicaError, match="must give two source items different keys"):
        handle(made, event("INSERT", 2, new=order("b")))


def test_a_key_that_another_item_has_given_up_can_be_taken(target: FakeDynamoDB) -> None:
    def by_mail(item: dict[str, Any]) -> dict[str, Any]:
        return {"pk": item["mail"], "user": item["pk"]}

    made = replica(target, table="Copy", keys=("pk",), transform=by_mail)
    old, new = order("a", mail={"S": "x"}), order("a", mail={"S": "y"})
    handle(made, event("INSERT", 5, new=old), event("MODIFY", 6, old=old, new=new))

    # Of another shard, so its number may be lower.
    handle(made, event("INSERT", 2, new=order("b", mail={"S": "x"})))

    assert {each["pk"]: each["user"] for each in target.items("Copy")} == {"x": "b", "y": "a"}


@pytest.mark.parametrize(
    ("transform", "message"),
    [
        (lambda item: item["missing"], "raised KeyError"),
        (lambda _: 7, "raised TypeError"),
        (lambda _: [7], "must return None, an item or items, got int"),
        (lambda _: {"order": "a"}, "key attributes status, order .* got nothing for status"),
        (lambda _: {"status": True, "order": "a"}, "got BOOL for status"),
        (lambda _: {"status": "", "order": "a"}, "not empty, got S for status"),
        (
            lambda _: {"status": "x", "order": "a", "n": 1.5},
            "must return DynamoDB items: .*float",
        ),
        (lambda _: {"status": "x", "order": "a", "n": set()}, "no empty sets"),
        (lambda _: [{"status": "x", "order": "a"}] * 2, "different keys, got one twice"),
        (lambda _: {"status": "x", "order": "a", "_stream_deleted": 1}, "_stream_ alone"),
    ],
)
def test_a_wrong_transform_fails_the_change_with_one_sentence(
    target: FakeDynamoDB, transform: Any, message: str
) -> None:
    made = replica(target, table="Shaped", keys=("status", "order"), transform=transform)
    with pytest.raises(TransformError, match=message):
        handle(made, event("INSERT", 1, new=order()))
    assert target.stored("Shaped") == []


def test_a_replica_of_a_replica_copies_data_and_deletes_not_marks(target: FakeDynamoDB) -> None:
    made = replica(target)
    item = order(_stream_sequence={"S": "7"}, _stream_origin={"S": "elsewhere"})
    tombstone = order(_stream_deleted={"BOOL": True}, _stream_expires_at={"N": "9"})

    handle(made, event("INSERT", 1, new=item))
    (copied,) = target.stored("Copy")
    assert copied.keys() == {"pk", "_stream_sequence"}
    handle(made, event("MODIFY", 2, old=item, new=tombstone))
    assert target.items("Copy") == []
    # The tombstone's own expiry says nothing new.
    handle(made, event("REMOVE", 3, old=tombstone, userIdentity=TIME_TO_LIVE))
    (stored,) = target.stored("Copy")
    assert stored["_stream_sequence"].lstrip("0") == "2"


def test_a_stream_without_new_images_names_the_setting(target: FakeDynamoDB) -> None:
    record = event("INSERT", 1, new=order())
    del record["dynamodb"]["NewImage"]
    record["dynamodb"]["StreamViewType"] = "KEYS_ONLY"
    with pytest.raises(MissingImageError, match="set stream_view_type=NEW_IMAGE"):
        handle(replica(target), record)


# Two tables that replicate each other.

HERE, THERE = "eu-west-1/123456789012/Orders", "eu-west-1/123456789012/Copy"


def version(number: int, **more: Any) -> dict[str, Any]:
    return order(updated_at={"N": str(number)}, **more)


def test_a_write_that_came_from_the_other_replica_is_not_sent_back(target: FakeDynamoDB) -> None:
    made = replica(target, version="updated_at")
    came = version(5, _stream_origin={"S": THERE}, _stream_version={"N": "5"})

    handle(made, event("INSERT", 1, new=came))
    assert target.stored("Copy") == []

    # UpdateItem leaves the origin where it is; the version tells that the application wrote.
    handle(made, event("MODIFY", 2, old=came, new={**came, "updated_at": {"N": "6"}}))
    (stored,) = target.stored("Copy")
    assert (stored["updated_at"], stored["_stream_origin"]) == (6, HERE)


def test_the_higher_version_wins_and_the_loser_is_counted(
    target: FakeDynamoDB, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/replica")
    target.write("Copy", {"pk": "a", "updated_at": 7, "by": "the target"})
    made = replica(target, version="updated_at", name="Stack/Replica")

    made.handler({"Records": [event("INSERT", 1, new=version(6))]})

    assert target.items("Copy")[0]["by"] == "the target"
    line = json.loads(capsys.readouterr().out)
    assert (line["Replica"], line["Conflicts"], line["Writes"]) == ("Stack/Replica", 1, 0)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "CdkStreams/Replication"
    assert {each["Name"] for each in directive["Metrics"]} <= line.keys()


@pytest.mark.parametrize(
    ("new", "old", "message"),
    [
        (order(), None, "each item must have the version attribute updated_at"),
        (order(updated_at={"BOOL": True}), None, "got BOOL"),
        (
            version(5, _stream_origin={"S": THERE}, _stream_version={"N": "5"}, n={"N": "2"}),
            version(5, _stream_origin={"S": THERE}, _stream_version={"N": "5"}),
            "each write must set a higher updated_at",
        ),
        (
            version(6, _stream_deleted={"BOOL": True}, _stream_version={"N": "5"}),
            version(5, _stream_deleted={"BOOL": True}, _stream_version={"N": "5"}),
            "must come back as a whole item",
        ),
    ],
)
def test_a_write_that_no_rule_can_place_fails_its_record(
    target: FakeDynamoDB, new: dict[str, Any], old: dict[str, Any] | None, message: str
) -> None:
    made = replica(target, version="updated_at")
    with pytest.raises(VersionError, match=message):
        handle(made, event("MODIFY" if old else "INSERT", 1, new=new, old=old))


def test_two_ways_and_a_transform_exclude_each_other(target: FakeDynamoDB) -> None:
    with pytest.raises(ReplicaError, match="leave one out"):
        replica(target, version="updated_at", transform=by_status)


# The handler, as TableReplica ships it.


@pytest.fixture
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAM_REPLICA_TABLE", "Copy")
    monkeypatch.setenv("STREAM_PARTIAL_RESPONSE", "1")


@pytest.fixture
def _client(target: FakeDynamoDB) -> Iterator[None]:
    with use_client(target):
        yield


@pytest.mark.usefixtures("_environment", "_client")
def test_a_write_that_fails_is_named_and_what_is_behind_it_comes_again() -> None:
    def fail(_operation: str, request: dict[str, Any]) -> None:
        if request["Item"]["pk"] == {"S": "b"}:
            raise RequestFailed("ThrottlingException")

    target = FakeDynamoDB({"Copy": ("pk",)}, on_request=fail)
    records = [event("INSERT", at, new=order(key)) for at, key in enumerate("abc", 1)]
    with use_client(target):
        answer = handler_from_environment({"Records": records})

    assert answer == {"batchItemFailures": [{"itemIdentifier": f"{2:021}"}]}
    assert {"pk": "a"} in target.items("Copy")


@pytest.mark.usefixtures("_environment", "_client")
def test_the_environment_names_the_transform(
    target: FakeDynamoDB, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / "shape_of_a_test.py").write_text("def shape(item): return {**item, 'seen': True}\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("STREAM_REPLICA_TRANSFORM", "shape_of_a_test:shape")
    handler_from_environment({"Records": [event("INSERT", 1, new=order())]})
    assert target.items("Copy") == [{"pk": "a", "seen": True}]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("STREAM_REPLICA_TABLE", "", "STREAM_REPLICA_TABLE must name the table"),
        ("STREAM_REPLICA_CONCURRENCY", "0", "must be a number from 1, got '0'"),
        ("STREAM_REPLICA_TRANSFORM", "nowhere:shape", "got 'nowhere:shape', which cannot be"),
        ("STREAM_REPLICA_TRANSFORM", "json:__name__", "must be a function"),
    ],
)
@pytest.mark.usefixtures("_environment", "_client")
def test_a_wrong_environment_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ReplicaError, match=message):
        handler_from_environment({"Records": [event("INSERT", 1, new=order())]})


def test_a_role_that_may_not_be_assumed_is_one_sentence() -> None:
    class RefusedError(Exception):
        operation_name = "AssumeRole"

    def refuse(_operation: str, _request: dict[str, Any]) -> None:
        raise RefusedError

    target = FakeDynamoDB({"Copy": ("pk",)}, on_request=refuse)
    made = replica(target, role_arn="arn:aws:iam::111122223333:role/copy")
    with pytest.raises(ReplicaError, match="the role arn:aws:iam::111122223333:role/copy must let"):
        handle(made, event("INSERT", 1, new=order()))


def test_the_client_assumes_the_role_of_the_target(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    made: Any = client_for(
        Settings(table="Copy", region="eu-west-1", role_arn="arn:aws:iam::111122223333:role/copy")
    )
    credentials = made._request_signer._credentials
    assert credentials.method == "assume-role"
    assert made.meta.region_name == "eu-west-1"


# New items, many a request.


def counted(**options: Any) -> tuple[FakeDynamoDB, list[str]]:
    """Return a target that tells which operations it was asked for."""
    asked: list[str] = []
    refused = options.get("refused")

    def note(operation: str, _request: dict[str, Any]) -> None:
        asked.append(operation)
        if operation == "BatchExecuteStatement" and refused:
            raise RequestFailed(refused)

    return FakeDynamoDB({"Copy": ("pk",)}, on_request=note), asked


def inserts(count: int) -> list[dict[str, Any]]:
    return [event("INSERT", at, new=order(f"o-{at}")) for at in range(1, count + 1)]


def test_new_items_are_inserted_25_a_request() -> None:
    target, asked = counted()
    replica(target).handler({"Records": inserts(60)})
    assert asked == ["BatchExecuteStatement"] * 3
    assert len(target.items("Copy")) == 60


def test_an_item_that_is_there_is_put_under_the_guard() -> None:
    target, asked = counted()
    target.write("Copy", {"pk": "o-1", "_stream_sequence": "9" * 40}, {"pk": "o-2"})
    replica(target).handler({"Records": inserts(3)})
    assert sorted(asked) == ["BatchExecuteStatement", "PutItem", "PutItem"]
    stored = {each["pk"]: each["_stream_sequence"] for each in target.stored("Copy")}
    assert stored["o-1"] == "9" * 40
    assert stored["o-2"] == f"{2:040}"


def test_a_change_behind_an_insert_of_its_item_comes_after_it() -> None:
    target, _ = counted()
    modify = event("MODIFY", 4, old=order("o-1"), new=order("o-1", n={"N": "1"}))
    remove = event("REMOVE", 5, old=order("o-2"))
    replica(target).handler({"Records": [*inserts(3), modify, remove]})
    assert target.items("Copy") == [{"pk": "o-1", "n": 1}, {"pk": "o-3"}]


@pytest.mark.parametrize(
    ("code", "calls"),
    [("AccessDeniedException", 1), ("ThrottlingException", 2)],
)
def test_where_inserts_fail_items_are_put_one_by_one(code: str, calls: int) -> None:
    target, asked = counted(refused=code)
    made = replica(target)
    for _ in range(2):
        made.handler({"Records": inserts(3)})
    assert len(target.items("Copy")) == 3
    # What is not allowed is not tried again.
    assert asked.count("BatchExecuteStatement") == calls


def test_a_transform_that_raises_fails_its_own_record_only() -> None:
    target, _ = counted()

    def shape(item: dict[str, Any]) -> dict[str, Any]:
        return {"pk": "copy of " + {"o-1": "1", "o-3": "3"}[item["pk"]]}

    made = replica(target, keys=("pk",), transform=shape)
    with pytest.raises(TransformError):
        made.handler({"Records": inserts(3)})
    assert len(target.items("Copy")) == 2
