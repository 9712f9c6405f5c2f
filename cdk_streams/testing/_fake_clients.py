"""boto3 clients of the services that a forwarder calls; `FakeServices` hands them out.

Each has the methods that the forwarder calls and their limits, as AWS documents them.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from cdk_streams.testing._fake_account import Account, refused

__all__ = ["CLIENTS"]

_MIB: Final = 1_048_576
_TIME_BYTES: Final = 14
_LARGEST_SYNCHRONOUS: Final = 6_291_556


class _Events:
    """EventBridge."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def put_events(self, *, Entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:  # noqa: N803 - boto3's name
        sizes = [
            len(f"{one['Source']}{one['DetailType']}{one['Detail']}".encode()) + _TIME_BYTES
            for one in Entries
        ]
        self._account.count("PutEvents", sizes, entries=10, call=_MIB - 1, entry=_MIB - 1)
        codes = [self._account.take("events", one["Detail"]) for one in Entries]
        return {"FailedEntryCount": _failed(codes), "Entries": [_told(code) for code in codes]}


class _Messages:
    """SQS and SNS."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def send_message_batch(
        self,
        *,
        QueueUrl: str,  # noqa: N803 - boto3's name
        Entries: Sequence[Mapping[str, Any]],  # noqa: N803 - boto3's name
    ) -> dict[str, Any]:
        return self._batch("sqs", "SendMessageBatch", QueueUrl, Entries, _MIB)

    def publish_batch(
        self,
        *,
        TopicArn: str,  # noqa: N803 - boto3's name
        PublishBatchRequestEntries: Sequence[Mapping[str, Any]],  # noqa: N803 - boto3's name
    ) -> dict[str, Any]:
        most = self._account.max_message_bytes
        return self._batch("sns", "PublishBatch", TopicArn, PublishBatchRequestEntries, most)

    def _batch(
        self, service: str, operation: str, where: str, sent: Sequence[Mapping[str, Any]], call: int
    ) -> dict[str, Any]:
        bodies = [str(one.get("MessageBody", one.get("Message"))) for one in sent]
        largest = self._account.max_message_bytes
        self._account.count(
            operation, [len(body) for body in bodies], entries=10, call=call, entry=largest
        )
        if len({one["Id"] for one in sent}) < len(sent):
            raise refused(operation, "BatchEntryIdsNotDistinct")
        fifo = where.endswith(".fifo")
        if any(("MessageGroupId" in one) is not fifo for one in sent):
            raise refused(operation, "InvalidParameterValue")
        answer: dict[str, Any] = {"Successful": [], "Failed": []}
        for one, body in zip(sent, bodies, strict=True):
            once = (where, one["MessageDeduplicationId"]) if fifo else None
            code = self._account.take(service, body, once=once)
            told = {"Id": one["Id"]}
            if code is None:
                answer["Successful"].append(told)
            else:
                answer["Failed"].append({**told, "Code": code, "SenderFault": False})
        return answer


class _Records:
    """Kinesis and Firehose."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def put_records(self, *, StreamName: str, Records: Sequence[Mapping[str, Any]]) -> Any:  # noqa: ARG002, N803 - boto3's names
        sizes = [len(one["Data"]) + len(one["PartitionKey"].encode()) for one in Records]
        self._account.count("PutRecords", sizes, entries=500, call=10 * _MIB, entry=_MIB)
        codes = [self._account.take("kinesis", one["Data"]) for one in Records]
        return {"FailedRecordCount": _failed(codes), "Records": [_told(code) for code in codes]}

    def put_record_batch(
        self,
        *,
        DeliveryStreamName: str,  # noqa: ARG002, N803 - boto3's name
        Records: Sequence[Mapping[str, Any]],  # noqa: N803 - boto3's name
    ) -> Any:
        sizes = [len(one["Data"]) for one in Records]
        limits = {"entries": 500, "call": 4 * _MIB, "entry": 1_024_000}
        self._account.count("PutRecordBatch", sizes, **limits)
        codes = [self._account.take("firehose", one["Data"]) for one in Records]
        return {"FailedPutCount": _failed(codes), "RequestResponses": [_told(one) for one in codes]}


class _Objects:
    """S3."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, **_: str) -> dict[str, Any]:  # noqa: N803 - boto3's names
        self._account.count(
            "PutObject", [len(Body)], entries=1, call=5 * 1024**3, entry=5 * 1024**3
        )
        self._account.keep(Bucket, Key, Body)
        return {}

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803 - boto3's names
        if (Bucket, Key) not in self._account.objects:
            raise refused("GetObject", "NoSuchKey")
        return {"Body": io.BytesIO(self._account.objects[Bucket, Key])}


class _Invocations:
    """Step Functions and Lambda."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def start_execution(
        self,
        *,
        stateMachineArn: str,  # noqa: N803 - boto3's name
        name: str,
        input: str,  # noqa: A002 - boto3's name
    ) -> dict[str, Any]:
        largest = 262_144
        self._account.count("StartExecution", [len(input)], entries=1, call=largest, entry=largest)
        if (stateMachineArn, name) in self._account.executions:
            raise refused("StartExecution", "ExecutionAlreadyExists")
        code = self._account.take("stepfunctions", input)
        if code is not None:
            raise refused("StartExecution", code)
        self._account.executions.add((stateMachineArn, name))
        return {"executionArn": f"{stateMachineArn}:{name}"}

    def invoke(self, *, FunctionName: str, InvocationType: str, Payload: bytes) -> dict[str, Any]:  # noqa: ARG002, N803 - boto3's names
        largest = _LARGEST_SYNCHRONOUS
        self._account.count("Invoke", [len(Payload)], entries=1, call=largest, entry=largest)
        for event in json.loads(Payload):
            if self._account.take("lambda", json.dumps(event)) is not None:
                return {"StatusCode": 200, "FunctionError": "Unhandled"}
        return {"StatusCode": 200}


CLIENTS: Final = {
    "events": _Events,
    "sqs": _Messages,
    "sns": _Messages,
    "kinesis": _Records,
    "firehose": _Records,
    "s3": _Objects,
    "stepfunctions": _Invocations,
    "lambda": _Invocations,
}
"""The class of each boto3 service's client."""


def _told(code: str | None) -> dict[str, str]:
    return {"EventId": "accepted"} if code is None else {"ErrorCode": code, "ErrorMessage": code}


def _failed(codes: Sequence[str | None]) -> int:
    return sum(code is not None for code in codes)
