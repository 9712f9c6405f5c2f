"""A stack as a user writes it; mypy --strict and pyright read it, nothing runs it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import assert_type

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

import cdk_streams as streams


class ShopStack(cdk.Stack):
    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        key = dynamodb.Attribute(name="order_id", type=dynamodb.AttributeType.STRING)
        orders = streams.StreamTable(
            self,
            "Orders",
            partition_key=key,
            stream_view_type=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
            removal_policy=cdk.RemovalPolicy.RETAIN,
            time_to_live_attribute="expires_at",
        )
        function = streams.StreamFunction(
            self,
            "AuditFunction",
            entry=Path("handlers") / "audit.py",
            timeout=cdk.Duration.minutes(1),
            environment={"BUCKET": "audit"},
            log_retention=logs.RetentionDays.ONE_MONTH,
        )
        audit = streams.StreamConsumer(
            self,
            "Audit",
            table=orders,
            function=function,
            batch_size=100,
            retry_attempts=3,
            max_record_age=timedelta(hours=1),
            max_batching_window=cdk.Duration.seconds(5),
            starting_position=lambda_.StartingPosition.TRIM_HORIZON,
            filters=[{"eventName": ["INSERT"]}],
        )
        orders.grant_read_data(function)
        assert_type(audit.failure_queue.queue_url, str)
        assert_type(audit.event_source_mapping, lambda_.CfnEventSourceMapping)
        assert_type(audit.metric_iterator_age(), cloudwatch.Metric)
        assert_type(audit.settings, streams.MappingSettings)
        cdk.CfnOutput(self, "Failures", value=audit.failure_queue.queue_url)
        # Any table, function and queue of CDK's own will do.
        streams.StreamConsumer(
            self,
            "Plain",
            table=dynamodb.Table(
                self, "V1", partition_key=key, stream=dynamodb.StreamViewType.KEYS_ONLY
            ),
            function=lambda_.Function.from_function_name(self, "ByName", "theirs"),
            on_failure=sqs.Queue(self, "Ours"),
            retry_attempts=None,
        )
        streams.StreamConsumer(
            self,
            "Imported",
            table=dynamodb.TableV2.from_table_attributes(
                self, "ImportedTable", table_name="T", table_stream_arn="arn:aws:dynamodb:…"
            ),
            function=function,
            on_failure=sns.Topic(self, "Topic"),
            **streams.LOW_LATENCY,
        )
        polls = cdk.CfnParameter(self, "Polls", type="String", default="true")
        rescued = streams.StreamConsumer(
            self,
            "LookedUp",
            table=streams.StreamTable.look_up(
                self,
                "Theirs",
                table_name="theirs",
                stream_view_type=dynamodb.StreamViewType.NEW_IMAGE,
                encryption_key=kms.Key(self, "Key"),
            ),
            function=function.current_version,
            on_failure=streams.OnFailure.QUEUE_WITH_PAYLOAD,
            enabled=polls,
            filters=[streams.Filter.insert(streams.NewImage("status").eq("PAID"))],
            filter_encryption=kms.Key.from_key_arn(self, "FilterKey", "arn:aws:kms:…"),
            alarms=streams.Alarms(
                iterator_age=cdk.Duration.minutes(10),
                actions=[
                    sns.Topic(self, "Pager"),
                    actions.SnsAction(sns.Topic.from_topic_arn(self, "Theirs", "arn:aws:sns:…")),
                ],
            ),
        )
        streams.StreamDashboard(self, "Streams", consumers=[audit, rescued])
        assert_type(rescued.failure_bucket, s3.IBucket)
        orders.share_stream(iam.AccountPrincipal("111122223333"))
        streams.StreamConsumer(
            self,
            "ToABucket",
            table=orders,
            function=function,
            on_failure=s3.Bucket(self, "Bucket"),
            **(streams.THROUGHPUT | {"batch_size": 500}),
        )
        # A forwarder to each kind of target, with options of the consumer and of its function.
        done = sfn.DefinitionBody.from_chainable(sfn.Pass(self, "Done"))
        kinds: list[streams.targets.ForwardTarget] = [
            streams.targets.EventBus(events.EventBus(self, "Bus")),
            streams.targets.SnsTopic(sns.Topic(self, "Events")),
            streams.targets.SqsQueue(sqs.Queue(self, "Queue"), max_message_bytes=1_048_576),
            streams.targets.KinesisStream(kinesis.Stream(self, "Kinesis")),
            streams.targets.S3Bucket(s3.Bucket(self, "Changes"), prefix="changes/"),
            streams.targets.LambdaFunction(function),
            streams.targets.SfnStateMachine(
                sfn.StateMachine(self, "Machine", definition_body=done)
            ),
            streams.targets.FirehoseDeliveryStream(
                firehose.DeliveryStream(
                    self, "Firehose", destination=firehose.S3Bucket(s3.Bucket(self, "Lines"))
                )
            ),
        ]
        for number, target in enumerate(kinds):
            forwarder = streams.StreamForwarder(
                self,
                f"Forward{number}",
                table=orders,
                target=target,
                source="shop.orders",
                large_events=s3.Bucket(self, f"Large{number}"),
                batch_size=500,
                function_options={"memory_size": 512},
            )
            assert_type(forwarder.function, streams.StreamFunction)


misspelled = streams.StreamConsumers  # type: ignore[attr-defined]
