"""Each rule seen broken, and seen kept by the consumer that breaks nothing."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from cdk_streams.checks import (
    RULES,
    Consumer,
    Destination,
    Function,
    LastMapping,
    Source,
    check,
)
from cdk_streams.checks._rule import rule
from cdk_streams.mapping import MappingSettings

QUEUE = "arn:aws:sqs:eu-west-1:123456789012:failures"
SAFE = Consumer(
    name="Audit",
    settings=MappingSettings(
        retry_attempts=10,
        max_record_age=timedelta(hours=6),
        bisect_batch_on_error=True,
        report_batch_item_failures=True,
        on_failure=QUEUE,
    ),
    source=Source(name="Orders", has_stream=True, view_type="NEW_AND_OLD_IMAGES", replicas=0),
    function=Function(
        name="AuditFn", timeout=timedelta(seconds=60), memory_mb=256, uses_lambda_runtime=True
    ),
    destination=Destination(
        kind="queue",
        is_fifo=False,
        retention=timedelta(days=14),
        is_encrypted=True,
        is_tls_only=True,
    ),
    waits_for_policy=True,
    lag_alarm=True,
    failure_alarm=True,
)


LAST = LastMapping(
    name="AuditMapping",
    is_same=True,
    has_same_stream=True,
    has_same_function=True,
    starting_position="LATEST",
)


def ids(*consumers: Consumer) -> list[str]:
    return [finding.id.removeprefix("cdk-streams:") for finding in check(consumers)]


def safe(**changes: Any) -> Consumer:
    """Return the safe consumer with parts changed; `settings={…}` changes single settings."""
    for part in ("settings", "source", "function", "destination"):
        if isinstance(changes.get(part), dict):
            changes[part] = dataclasses.replace(getattr(SAFE, part), **changes[part])
    return dataclasses.replace(SAFE, **changes)


def filtering(*patterns: dict[str, Any]) -> Consumer:
    return safe(settings={"filters": patterns})


def image(**attributes: Any) -> dict[str, Any]:
    return {"dynamodb": {"NewImage": attributes}}


BROKEN = {
    "InvalidSettings": safe(settings=None, faults=("batch_size must be 1 to 10,000 records",)),
    "NoStream": safe(source={"has_stream": False}),
    "ReplicaStreamWildcard": safe(source={"is_replica_wildcard": True}),
    "StartsAtLatest": safe(settings={"starting_position": "LATEST"}),
    "MappingReplaced": safe(last=(LAST,)),
    "StreamReplaced": safe(last=(dataclasses.replace(LAST, has_same_stream=False),)),
    "Disabled": safe(settings={"enabled": False}),
    "StreamArnExportLocked": safe(source={"is_export_locked": True}),
    "MappingBeforePolicy": safe(waits_for_policy=False),
    "NoRole": safe(function={"has_role": False}),
    "RoleNotGranted": safe(function={"is_granted": False}),
    "ResponseNotKnown": safe(function={"uses_lambda_runtime": False}),
    "DurableExecutionTooLong": safe(function={"durable_timeout": timedelta(hours=1)}),
    "ExpiredFilterOnReplicas": safe(
        settings={"filters": [{"userIdentity": {"type": ["Service"]}}]}, source={"replicas": 1}
    ),
    "WritesOwnSource": safe(function={"writes_to": frozenset({"Orders"})}),
    "InfiniteRetries": safe(settings={"retry_attempts": -1}),
    "RecordAgeReachesRetention": safe(settings={"max_record_age": timedelta(hours=24)}),
    "LittleTimeToReadBack": safe(settings={"max_record_age": timedelta(hours=21)}),
    "NoFailureDestination": safe(settings={"on_failure": None}, destination=None),
    "BisectOff": safe(settings={"bisect_batch_on_error": False}),
    "PartialResponsesOff": safe(
        settings={"report_batch_item_failures": False}, function={"uses_lambda_runtime": False}
    ),
    "PartialResponseNotRead": safe(settings={"report_batch_item_failures": False}),
    "FifoDestination": safe(destination={"is_fifo": True}),
    "DestinationRetentionShort": safe(destination={"retention": timedelta(days=1)}),
    "DestinationNotEncrypted": safe(destination={"is_encrypted": False}),
    "DestinationWithoutTls": safe(destination={"is_tls_only": False}),
    "FailuresNotAlarmed": safe(failure_alarm=False),
    "LagNotAlarmed": safe(lag_alarm=False),
    "ConcurrencyBelowFactor": safe(
        settings={"parallelization_factor": 4}, function={"reserved_concurrency": 3}
    ),
    "WindowAboveTimeout": safe(settings={"max_batching_window": 61}),
    "TimeoutOfOneRequest": safe(function={"timeout": timedelta(seconds=3)}),
    "TimeoutReachesRecordAge": safe(settings={"max_record_age": timedelta(seconds=60)}),
    "MemoryOfOneRequest": safe(settings={"batch_size": 1000}, function={"memory_mb": 128}),
    "FilterComparesNumber": filtering(image(price={"N": [{"numeric": [">", 100]}]})),
    "FilterWithoutTypeLetter": filtering(image(status=["PAID"])),
    "FilterTestsContainer": filtering(image(address={"M": [{"exists": True}]})),
    "FilterComparesOtherType": filtering(image(paid={"BOOL": ["true"]})),
    "FilterNamesUnknownEvent": filtering({"eventName": ["INSERT", "UPDATE"]}),
    "FilterNamesUnknownField": filtering({"dynamodb": {"NewImages": {"status": {"S": ["PAID"]}}}}),
    "DuplicateFilter": filtering({"eventName": ["INSERT"]}, {"eventName": ["INSERT"]}),
    "FilterNamesMissingImage": safe(
        settings={"filters": [image(status={"S": ["PAID"]})]}, source={"view_type": "KEYS_ONLY"}
    ),
}
# These are about several consumers, or need a second finding to be broken at all.
TOGETHER = {
    "TooManyReaders": [safe(name=f"C{n}", function={"name": f"F{n}"}) for n in range(3)],
    "SameMappingTwice": [SAFE, safe(name="Second")],
    "DeadLetterOnFunction": [
        safe(
            settings={"on_failure": None},
            destination=None,
            function={"has_async_dead_letter": True},
        )
    ],
}


def test_a_safe_consumer_breaks_no_rule() -> None:
    assert ids(SAFE) == []


@pytest.mark.parametrize("rule", BROKEN)
def test_a_broken_rule_is_the_one_finding(rule: str) -> None:
    assert ids(BROKEN[rule]) == [rule]


def test_every_rule_is_seen_broken() -> None:
    assert {
        rule.id.removeprefix("cdk-streams:") for rule in RULES
    } == BROKEN.keys() | TOGETHER.keys()


def test_unknown_facts_make_no_finding() -> None:
    assert ids(Consumer(name="Audit", settings=None)) == []
    unknown = dataclasses.replace(
        SAFE,
        source=Source(name="Orders"),
        function=Function(name="AuditFn"),
        destination=Destination(kind="queue"),
        waits_for_policy=None,
        lag_alarm=None,
        failure_alarm=None,
    )
    assert ids(unknown) == []


def test_lambdas_own_defaults_break_the_rules_that_lose_data() -> None:
    assert ids(Consumer(name="Audit", settings=MappingSettings())) == [
        "InfiniteRetries",
        "RecordAgeReachesRetention",
        "NoFailureDestination",
        "BisectOff",
        "PartialResponsesOff",
    ]


@pytest.mark.parametrize(("replicas", "most"), [(0, 2), (1, 1)])
def test_the_finding_stands_at_each_reader_beyond_the_limit(replicas: int, most: int) -> None:
    source = dataclasses.replace(SAFE.source or Source(name=""), replicas=replicas)
    readers = [
        safe(name=f"C{n}", source=source, function={"name": f"F{n}"}) for n in range(most + 2)
    ]
    findings = check(readers)
    assert [finding.consumer for finding in findings] == [f"C{most}", f"C{most + 1}"]
    assert {finding.id for finding in findings} == {"cdk-streams:TooManyReaders"}
    assert findings[0].what.startswith(f"Orders has {most + 2} readers")


def test_one_function_reads_one_stream_through_one_mapping() -> None:
    assert ids(*TOGETHER["SameMappingTwice"]) == ["SameMappingTwice"]
    assert ids(SAFE, safe(name="Second", function={"name": "OtherFn"})) == []


def test_a_dead_letter_queue_of_the_function_does_not_count_for_the_mapping() -> None:
    assert ids(*TOGETHER["DeadLetterOnFunction"]) == [
        "NoFailureDestination",
        "DeadLetterOnFunction",
    ]


def test_a_bucket_holds_the_data_so_there_is_nothing_to_read_back() -> None:
    late = {"max_record_age": timedelta(hours=23)}
    assert ids(safe(settings=late, destination={"kind": "bucket", "holds_data": True})) == []


def test_single_records_need_neither_bisect_nor_partial_responses() -> None:
    settings = {
        "batch_size": 1,
        "bisect_batch_on_error": False,
        "report_batch_item_failures": False,
    }
    assert ids(safe(settings=settings, function={"uses_lambda_runtime": False})) == []


def test_a_filter_stands_between_a_function_and_its_own_writes() -> None:
    consumer = filtering({"eventName": ["INSERT"]})
    writer = dataclasses.replace(
        consumer, function=Function(name="AuditFn", writes_to=frozenset({"Orders"}))
    )
    assert ids(writer) == []


@pytest.mark.parametrize(
    "pattern",
    [
        image(price={"N": ["100"]}),
        image(price={"N": [{"anything-but": "100"}]}),
        {"dynamodb": {"SizeBytes": [{"numeric": [">", 100]}]}},
        image(N={"S": [{"exists": True}]}),
        image(S={"M": {"M": {"S": ["x"]}}}),
        image(lines={"L": {"M": {"sku": {"S": ["a"]}}}}),
        {"userIdentity": {"type": ["Service"]}},
        {"eventName": [{"anything-but": "REMOVE"}]},
        {"$or": [{"eventName": ["INSERT"]}, image(status={"S": ["PAID"]})]},
    ],
)
def test_a_filter_that_works_is_left_alone(pattern: dict[str, Any]) -> None:
    assert ids(filtering(pattern)) == []


@pytest.mark.parametrize(
    ("pattern", "rule"),
    [
        ({"$or": [{"eventName": ["INSRT"]}, {"eventID": ["x"]}]}, "FilterNamesUnknownEvent"),
        (image(prices={"NS": [7]}), "FilterComparesNumber"),
        (image(lines={"L": {"M": {"price": {"N": [7]}}}}), "FilterComparesNumber"),
        (image(price={"N": [{"anything-but": [7]}]}), "FilterComparesNumber"),
        (image(status={"S": [True]}), "FilterComparesOtherType"),
        ({"dynamodb": {"NewImage": [{"exists": True}]}}, "FilterTestsContainer"),
        (image(lines={"L": [{"exists": True}]}), "FilterTestsContainer"),
        (image(status={"s": ["PAID"]}), "FilterWithoutTypeLetter"),
        (image(status={"S": {"x": ["PAID"]}}), "FilterWithoutTypeLetter"),
        (image(lines=[{"exists": False}]), "FilterWithoutTypeLetter"),
        (image(a={"M": {"b": ["x"]}}), "FilterWithoutTypeLetter"),
    ],
)
def test_a_trap_is_seen_wherever_it_stands(pattern: dict[str, Any], rule: str) -> None:
    assert ids(filtering(pattern)) == [rule]


def test_a_trap_is_named_by_its_place_in_the_pattern() -> None:
    (finding,) = check([filtering(image(price={"N": ["1", 7]}))])
    assert finding.what == "a filter tests dynamodb.NewImage.price.N[1] as a number"


def test_every_finding_reads_as_what_why_and_what_to_do(
    template_snapshot: SnapshotAssertion,
) -> None:
    broken = {**{rule: [consumer] for rule, consumer in BROKEN.items()}, **TOGETHER}
    assert {
        rule: str(found)
        for rule, consumers in broken.items()
        for found in check(consumers)
        if found.id == f"cdk-streams:{rule}"
    } == template_snapshot


def test_the_documentation_names_every_id_that_is_ever_shown() -> None:
    root = Path(__file__).parents[3]
    text = (root / "docs" / "checks.md").read_text(encoding="utf-8")
    sources = [path.read_text(encoding="utf-8") for path in (root / "cdk_streams").rglob("*.py")]
    shown = {name for each in sources for name in re.findall(r"cdk-streams:[A-Z]\w+", each)}
    assert {name for name in shown if f"`{name}`" not in text} == set()
    assert "cdk-streams:NewStream" in shown


def test_an_id_does_not_follow_the_name_of_the_function() -> None:
    @rule("PublicId", reason="because", fix="Do so")
    def renamed_at_will(consumer: Consumer, _: Sequence[Consumer]) -> str | None:
        return consumer.name

    assert renamed_at_will.id == "cdk-streams:PublicId"
