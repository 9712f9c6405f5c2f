from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from syrupy.assertion import SnapshotAssertion

from cdk_streams import OnFailure, SourceError, StreamConsumer, StreamTable

Resources = Callable[..., dict[str, Any]]
Consume = Callable[..., StreamConsumer]


@pytest.fixture
def consume(stack: cdk.Stack) -> Consume:
    """Make a consumer whose failures go there."""
    key = dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING)
    table = StreamTable(stack, "Orders", partition_key=key)
    function = lambda_.Function(
        stack,
        "Function",
        code=lambda_.Code.from_inline("def handler(event, context): ..."),
        handler="index.handler",
        runtime=lambda_.Runtime.PYTHON_3_14,
    )

    def make(on_failure: Any = OnFailure.QUEUE, **settings: Any) -> StreamConsumer:
        chosen = {"table": table, "function": function, "on_failure": on_failure, **settings}
        return StreamConsumer(stack, "Audit", **chosen)

    return make


def destination_of(stack: cdk.Stack, resources_of: Resources) -> Any:
    (mapping,) = resources_of(stack, "AWS::Lambda::EventSourceMapping").values()
    return (
        mapping["Properties"].get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
    )


def delivery_rights(stack: cdk.Stack, resources_of: Resources) -> list[tuple[Any, Any]]:
    """Return the function's actions and resources, without those for reading the stream."""
    (policy,) = resources_of(stack, "AWS::IAM::Policy").values()
    return [
        (each["Action"], each["Resource"])
        for each in policy["Properties"]["PolicyDocument"]["Statement"]
        if "dynamodb" not in str(each["Action"])
    ]


def test_a_topic_gets_the_notice_and_the_function_may_publish_alone(
    consume: Consume, stack: cdk.Stack, resources_of: Resources
) -> None:
    topic = sns.Topic(stack, "Topic")
    consumer = consume(topic)
    assert consumer.failure_topic is topic
    arn = stack.resolve(topic.topic_arn)
    assert destination_of(stack, resources_of) == arn
    assert delivery_rights(stack, resources_of) == [("sns:Publish", arn)]


def test_a_bucket_gets_the_records_and_the_function_may_put_alone(
    consume: Consume, stack: cdk.Stack, resources_of: Resources
) -> None:
    bucket = s3.Bucket(stack, "Bucket")
    consumer = consume(bucket)
    assert consumer.failure_bucket is bucket
    arn = stack.resolve(bucket.bucket_arn)
    assert destination_of(stack, resources_of) == arn
    assert delivery_rights(stack, resources_of) == [
        ("s3:PutObject", {"Fn::Join": ["", [arn, "/aws/lambda/*"]]}),
        ("s3:ListBucket", arn),
    ]


def test_the_key_of_a_destination_may_be_used_to_encrypt(
    consume: Consume, stack: cdk.Stack, resources_of: Resources
) -> None:
    key = kms.Key(stack, "Key")
    consume(sqs.Queue(stack, "Queue", encryption_master_key=key))
    assert delivery_rights(stack, resources_of)[1] == (
        ["kms:Decrypt", "kms:GenerateDataKey"],
        stack.resolve(key.key_arn),
    )


@pytest.mark.parametrize(
    ("make", "service"),
    [
        (lambda stack, key: sqs.Queue(stack, "Own", encryption_master_key=key), "sqs"),
        (lambda stack, key: sns.Topic(stack, "Own", master_key=key), "sns"),
        (lambda stack, key: s3.Bucket(stack, "Own", encryption_key=key), "s3"),
    ],
)
def test_the_key_of_a_destination_is_used_through_its_service_alone(
    consume: Consume,
    stack: cdk.Stack,
    resources_of: Resources,
    make: Callable[..., Any],
    service: str,
) -> None:
    consume(make(stack, kms.Key(stack, "Key")))
    (policy,) = resources_of(stack, "AWS::IAM::Policy").values()
    (used,) = (
        each
        for each in policy["Properties"]["PolicyDocument"]["Statement"]
        if "kms" in str(each["Action"])
    )
    assert used["Condition"] == {"StringLike": {"kms:ViaService": f"{service}.*"}}


def test_imported_destinations_are_taken(
    consume: Consume, stack: cdk.Stack, resources_of: Resources
) -> None:
    arn = "arn:aws:sqs:eu-west-1:111122223333:failures"
    consume(sqs.Queue.from_queue_arn(stack, "Imported", arn))
    assert destination_of(stack, resources_of) == arn


def test_a_queue_with_payload(
    consume: Consume,
    stack: cdk.Stack,
    resources_of: Resources,
    template_snapshot: SnapshotAssertion,
) -> None:
    consume(OnFailure.QUEUE_WITH_PAYLOAD)
    kinds = ("AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::SQS::Queue", "AWS::SQS::QueuePolicy")
    every = resources_of(stack)
    assert {name: body for name, body in every.items() if body["Type"] in kinds} == (
        template_snapshot
    )


def test_with_payload_lambda_writes_to_the_bucket_and_its_notices_feed_the_queue(
    consume: Consume, stack: cdk.Stack, resources_of: Resources
) -> None:
    consumer = consume(OnFailure.QUEUE_WITH_PAYLOAD)
    assert destination_of(stack, resources_of) == stack.resolve(consumer.failure_bucket.bucket_arn)
    (bucket,) = resources_of(stack, "AWS::S3::Bucket").values()
    (told,) = bucket["Properties"]["NotificationConfiguration"]["QueueConfigurations"]
    assert (told["Event"], told["Queue"]) == (
        "s3:ObjectCreated:*",
        stack.resolve(consumer.failure_queue.queue_arn),
    )
    assert [action for action, _ in delivery_rights(stack, resources_of)] == [
        "s3:PutObject",
        "s3:ListBucket",
    ]
    assert "FailureQueueAlarm" in consumer.alarms


def test_the_bucket_is_made_after_the_policy_that_s3_tests(
    consume: Consume, stack: cdk.Stack, resources_of: Resources
) -> None:
    consume(OnFailure.QUEUE_WITH_PAYLOAD)
    (bucket,) = resources_of(stack, "AWS::S3::Bucket").values()
    assert bucket["DependsOn"] == list(resources_of(stack, "AWS::SQS::QueuePolicy"))
    assert not [kind for kind in map(_kind, resources_of(stack).values()) if "Custom" in kind]


def _kind(resource: dict[str, Any]) -> str:
    return str(resource["Type"])


def test_nothing_is_made_when_nothing_is_asked_for(
    consume: Consume, stack: cdk.Stack, resources_of: Resources
) -> None:
    consumer = consume(OnFailure.NOTHING)
    assert destination_of(stack, resources_of) is None
    assert delivery_rights(stack, resources_of) == []
    assert resources_of(stack, "AWS::SQS::Queue") == {}
    assert consumer.settings.on_failure is None


@pytest.mark.parametrize("kind", ["queue", "topic", "bucket"])
def test_a_destination_that_is_not_there_is_named(consume: Consume, kind: str) -> None:
    consumer = consume(OnFailure.NOTHING)
    with pytest.raises(SourceError) as caught:
        getattr(consumer, f"failure_{kind}")
    assert str(caught.value) == (
        f"the consumer 'Test/Audit' has no failure {kind}; "
        "on_failure= chooses where failed records go"
    )


@pytest.mark.parametrize(("kind", "word"), [(sqs.Queue, "queue"), (sns.Topic, "topic")])
def test_fifo_is_refused(consume: Consume, stack: cdk.Stack, kind: Any, word: str) -> None:
    fifo = kind(stack, "Fifo", fifo=True)
    with pytest.raises(SourceError) as caught:
        consume(fifo)
    assert str(caught.value) == (
        f"on_failure must be a standard {word}, got the FIFO {word} 'Test/Fifo'; "
        "Lambda cannot send failure records to it and would lose them"
    )


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (
            "arn:aws:sqs:eu-west-1:111122223333:failures",
            "got str; import it with from_queue_arn or the like",
        ),
        (None, "got NoneType; pass OnFailure.NOTHING to keep nothing of what fails"),
    ],
)
def test_anything_else_is_refused(consume: Consume, wrong: Any, told: str) -> None:
    with pytest.raises(SourceError) as caught:
        consume(wrong)
    assert str(caught.value) == (
        f"on_failure must be the construct of a queue, topic or bucket, or an OnFailure, {told}"
    )


def test_one_word_makes_a_reject_queue_with_all_it_needs(
    consume: Consume, resources_of: Resources, stack: cdk.Stack
) -> None:
    consumer = consume(rejects=OnFailure.QUEUE)
    queue = stack.resolve(consumer.reject_queue.queue_arn)["Fn::GetAtt"][0]

    made = resources_of(stack)
    assert made[queue]["Properties"]["SqsManagedSseEnabled"] is True
    assert made[queue]["Properties"]["MessageRetentionPeriod"] == 14 * 86_400
    (function,) = (each for each in made.values() if each["Type"] == "AWS::Lambda::Function")
    variables = function["Properties"]["Environment"]["Variables"]
    assert variables["STREAM_REJECT_QUEUE_URL"] == {"Ref": queue}
    statements = [
        statement
        for each in made.values()
        if each["Type"] == "AWS::IAM::Policy"
        for statement in each["Properties"]["PolicyDocument"]["Statement"]
        if queue in str(statement["Resource"])
    ]
    assert [each["Action"] for each in statements] == ["sqs:SendMessage"]
    (alarm,) = (each for name, each in made.items() if "RejectQueueAlarm" in name)
    (dimension,) = alarm["Properties"]["Dimensions"]
    assert dimension["Value"] == {"Fn::GetAtt": [queue, "QueueName"]}


def test_without_rejects_there_is_no_reject_queue(consume: Consume) -> None:
    consumer = consume()
    assert (consumer.rejects, "RejectQueueAlarm" in consumer.alarms) == (None, False)
    with pytest.raises(SourceError, match="has no failure reject queue"):
        _ = consumer.reject_queue


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        (lambda _: OnFailure.QUEUE_WITH_PAYLOAD, "rejects must be OnFailure.QUEUE or the"),
        (lambda stack: sns.Topic(stack, "Topic"), "got Topic; lambda_runtime sends"),
        (lambda stack: sqs.Queue(stack, "Q", fifo=True), "must be a standard queue"),
    ],
)
def test_what_no_record_can_be_sent_to_is_refused(
    consume: Consume, stack: cdk.Stack, choice: Callable[[cdk.Stack], Any], told: str
) -> None:
    with pytest.raises(SourceError, match=told):
        consume(rejects=choice(stack))


def test_consumers_that_share_a_function_share_the_reject_queue(
    consume: Consume, stack: cdk.Stack
) -> None:
    first = consume(rejects=OnFailure.QUEUE)
    key = dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING)
    users = StreamTable(stack, "Users", partition_key=key)
    both: dict[str, Any] = {"table": users, "function": first.function}
    with pytest.raises(SourceError, match=r"pass rejects=consumer.reject_queue of 'Test/Audit'"):
        StreamConsumer(stack, "Mail", rejects=OnFailure.QUEUE, **both)
    second = StreamConsumer(stack, "Mail", rejects=first.reject_queue, **both)
    assert second.reject_queue is first.reject_queue


def test_an_imported_function_learns_of_no_reject_queue(consume: Consume, stack: cdk.Stack) -> None:
    theirs = lambda_.Function.from_function_arn(
        stack, "Theirs", "arn:aws:lambda:us-east-1:123456789012:function:theirs"
    )
    with pytest.raises(SourceError, match="set STREAM_REJECT_QUEUE_URL where the function is"):
        consume(function=theirs, rejects=OnFailure.QUEUE)
