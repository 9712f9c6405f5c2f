"""Every construct and every setting of a consumer, once.

    orders ───┬─▶ Queue       the default: a queue of its own; a parameter switches it
              ├─▶ Payload     failed records kept in a bucket whose notices feed the queue
              ├─▶ Topic       failures to a topic, as fast as possible
              ├─▶ Bucket      failures to a bucket, in strict order
              └─▶ Summary     a tumbling window over a folder's handler
    legacy ───┬─▶ Legacy      `Table` (v1), failures to a queue of ours, through an alias
              ├─▶ Twice       the same table and function again, other filters, encrypted
              └─▶ NoFailures  nothing kept of what fails, from now on only

The stream of orders is shared with another account; every alarm tells the pager; a dashboard shows
all of it. Another stack, elsewhere.py, finds the legacy table by its name.
"""

# pyright: reportArgumentType=false
# CDK's own classes do not fit its own interfaces in pyright: a Key is no IKey.

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct, IConstruct

import cdk_streams as streams

LEGACY: Final = "every-feature-legacy"
HANDLERS: Final = Path(__file__).parent / "handlers"
KEY: Final = {"name": "order_id", "type": dynamodb.AttributeType.STRING}
THROW_AWAY: Final = cdk.RemovalPolicy.DESTROY
PARTNER: Final = "111122223333"


class EveryFeatureStack(cdk.Stack):
    """Two tables and eight consumers; `changes` are settings of the first, for updates."""

    def __init__(self, scope: Construct, construct_id: str, *, region: str, **changes: Any) -> None:
        super().__init__(scope, construct_id, env=cdk.Environment(region=region))
        self.key = kms.Key(self, "Key", enable_key_rotation=True, removal_policy=THROW_AWAY)
        self.orders = self._orders()
        self.pager = sns.Topic(self, "Pager", master_key=self.key)
        self.consumers = {
            **self._destinations(changes),
            **self._windows(),
            **self._legacy(),
        }
        streams.StreamDashboard(self, "Streams", consumers=[*self.consumers.values()])
        self._acknowledge()

    def _acknowledge(self) -> None:
        """Say why each check that this stack breaks is right for it; docs/checks.md lists them."""
        reasons: list[tuple[IConstruct, str, str]] = [
            (self, "TooManyReaders", "a stack to look at; with load, two readers a stream at most"),
            (
                self.consumers["Topic"],
                "FailuresNotAlarmed",
                "an address is for those who deploy it",
            ),
            (self.consumers["Bucket"], "InfiniteRetries", "order matters more than progress"),
            (self.consumers["Bucket"], "RecordAgeReachesRetention", "the same"),
            (self.consumers["Bucket"], "FailuresNotAlarmed", "it gives up on nothing"),
            (self.consumers["NoFailures"], "StartsAtLatest", "only what comes next is of interest"),
            (self.consumers["NoFailures"], "NoFailureDestination", "nothing is kept on purpose"),
        ]
        for construct, rule, reason in reasons:
            cdk.Validations.of(construct).acknowledge(
                cdk.Acknowledgment(id=f"cdk-streams:{rule}", reason=reason)
            )

    def _orders(self) -> streams.StreamTable:
        orders = streams.StreamTable(
            self,
            "Orders",
            partition_key=KEY,
            stream_view_type=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
            encryption=dynamodb.TableEncryptionV2.customer_managed_key(self.key),
            point_in_time_recovery_specification={"point_in_time_recovery_enabled": True},
            time_to_live_attribute="expires_at",
            removal_policy=THROW_AWAY,
        )
        orders.share_stream(iam.AccountPrincipal(PARTNER))
        return orders

    def _destinations(self, changes: dict[str, Any]) -> dict[str, streams.StreamConsumer]:
        polls = cdk.CfnParameter(
            self, "Polls", type="String", default="true", allowed_values=["true", "false"]
        )
        topic = sns.Topic(self, "Failed", enforce_ssl=True, master_key=self.key)
        bucket = s3.Bucket(
            self,
            "FailedRecords",
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self.key,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            removal_policy=THROW_AWAY,
        )
        return {
            "Queue": self._consume(
                "Queue", **{"enabled": polls, "tags": {"team": "orders"}, **changes}
            ),
            "Payload": self._consume(
                "Payload",
                on_failure=streams.OnFailure.QUEUE_WITH_PAYLOAD,
                metrics=["EventCount"],
                filters=[streams.Filter.remove(expired=True)],
                alarms=streams.Alarms.every(actions=[self.pager]),
            ),
            "Topic": self._consume("Topic", on_failure=topic, **streams.LOW_LATENCY),
            "Bucket": self._consume("Bucket", on_failure=bucket, **streams.STRICT_ORDER),
        }

    def _consume(self, name: str, **settings: Any) -> streams.StreamConsumer:
        function = streams.StreamFunction(
            self,
            f"{name}Function",
            entry=HANDLERS / "note.py",
            architecture=lambda_.Architecture.X86_64,
            tracing=lambda_.Tracing.ACTIVE,
            logging_format=lambda_.LoggingFormat.JSON,
            log_retention=logs.RetentionDays.ONE_MONTH,
            reserved_concurrent_executions=10,
        )
        return streams.StreamConsumer(self, name, table=self.orders, function=function, **settings)

    def _windows(self) -> dict[str, streams.StreamConsumer]:
        function = streams.StreamFunction(
            self, "SummaryFunction", entry=HANDLERS / "summary", exclude=["*.md"]
        )
        window = streams.StreamConsumer(
            self,
            "Summary",
            table=self.orders,
            function=function,
            tumbling_window=cdk.Duration.minutes(1),
        )
        return {"Summary": window}

    def _legacy(self) -> dict[str, streams.StreamConsumer]:
        table = dynamodb.Table(
            self,
            "LegacyTable",
            table_name=LEGACY,
            partition_key=KEY,
            stream=dynamodb.StreamViewType.NEW_IMAGE,
            removal_policy=THROW_AWAY,
        )
        function = streams.StreamFunction(self, "LegacyFunction", entry=HANDLERS / "note.py")
        alias = lambda_.Alias(self, "Live", alias_name="live", version=function.current_version)
        queue = sqs.Queue(
            self,
            "Ours",
            encryption_master_key=self.key,
            enforce_ssl=True,
            retention_period=cdk.Duration.days(14),
        )
        status = streams.NewImage("status")
        return {
            "Legacy": streams.StreamConsumer(
                self, "Legacy", table=table, function=alias, on_failure=queue
            ),
            "Twice": streams.StreamConsumer(
                self,
                "Twice",
                table=table,
                function=function,
                on_failure=queue,
                filters=[streams.Filter.any_event(status.is_in(["PAID", "SENT"]))],
                filter_encryption=self.key,
            ),
            "NoFailures": streams.StreamConsumer(
                self,
                "NoFailures",
                table=table,
                function=streams.StreamFunction(self, "Latest", entry=HANDLERS / "note.py"),
                on_failure=streams.OnFailure.NOTHING,
                starting_position=lambda_.StartingPosition.LATEST,
            ),
        }
