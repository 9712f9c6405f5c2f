"""Targets that take events as records: Kinesis, Firehose, and files in a bucket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_cdk import aws_lambda as lambda_

from cdk_streams.constructs.forwarding.targets._target import (
    check_given,
    grant,
    grant_encryption,
    variables,
)

if TYPE_CHECKING:
    from aws_cdk import aws_kinesis as kinesis
    from aws_cdk import aws_kinesisfirehose as firehose
    from aws_cdk import aws_s3 as s3

__all__ = ["FirehoseDeliveryStream", "KinesisStream", "S3Bucket"]


@dataclass(frozen=True, slots=True)
class KinesisStream:
    """A Kinesis data stream: 500 records and 5 MiB a call, 1 MiB a record, in each item's order.

    Args:
        stream: The stream.

    """

    stream: kinesis.IStream | kinesis.Stream

    def __post_init__(self) -> None:
        """Check what was given."""
        check_given(self, self.stream, has="stream_arn", what="a stream of aws_kinesis")

    def bind(self, function: lambda_.Function) -> Mapping[str, str]:
        """Allow `kinesis:PutRecords` on the stream."""
        grant(function, "kinesis:PutRecords", self.stream.stream_arn)
        grant_encryption(function, self.stream.encryption_key, through="kinesis")
        return variables("KinesisStream", self.stream.stream_name)


@dataclass(frozen=True, slots=True)
class FirehoseDeliveryStream:
    """A Firehose stream: 500 records and 4 MB a call, 1,000 KiB a record, without an order.

    Args:
        stream: The stream.

    """

    stream: firehose.IDeliveryStream | firehose.DeliveryStream

    def __post_init__(self) -> None:
        """Check what was given."""
        what = "a delivery stream of aws_kinesisfirehose"
        check_given(self, self.stream, has="delivery_stream_arn", what=what)

    def bind(self, function: lambda_.Function) -> Mapping[str, str]:
        """Allow `firehose:PutRecordBatch` on the stream."""
        grant(function, "firehose:PutRecordBatch", self.stream.delivery_stream_arn)
        return variables("FirehoseDeliveryStream", self.stream.delivery_stream_name)


@dataclass(frozen=True, slots=True)
class S3Bucket:
    """A bucket: one object of gzipped JSON lines for each batch, under a dated, idempotent name.

    Args:
        bucket: The bucket.
        prefix: What the names of the objects begin with, such as `changes/`.

    """

    bucket: s3.IBucket | s3.Bucket
    prefix: str = ""

    def __post_init__(self) -> None:
        """Check what was given."""
        check_given(self, self.bucket, has="bucket_arn", what="a bucket of aws_s3")

    def bind(self, function: lambda_.Function) -> Mapping[str, str]:
        """Allow `s3:PutObject` below the prefix."""
        grant(function, "s3:PutObject", self.bucket.arn_for_objects(f"{self.prefix}*"))
        grant_encryption(function, self.bucket.encryption_key, through="s3")
        return variables("S3Bucket", self.bucket.bucket_name, PREFIX=self.prefix or None)
