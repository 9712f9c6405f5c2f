"""Plans of found failure records, made one at a time.

A message chooses neither what is called nor what is read: the function it names must have a mapping
to the stream it names, and a bucket is read only while a mapping sends failure records to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from cdk_streams.errors import DeploymentError, StreamsError
from cdk_streams.live import Client
from cdk_streams.mapping import MappingSettings
from cdk_streams.redrive._bucket_objects import FailureObject, read_object
from cdk_streams.redrive._failure_record import parse_failure
from cdk_streams.redrive._found_failure import FoundFailure
from cdk_streams.redrive._invoke import bucket_mappings, mapping_settings
from cdk_streams.redrive._plan import RedrivePlan, plan_redrive

__all__ = ["EXPECTED_ERRORS", "FailurePlanner"]

EXPECTED_ERRORS = (StreamsError, ClientError, BotoCoreError)
"""The errors that keep one failure record from being redriven, and not the others."""


class FailurePlanner:
    """Plans redrives; the settings of each mapping are asked for once.

    planner = FailurePlanner(client)
    planner.plan(found).plan
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._settings = cache(lambda *who: mapping_settings(client("lambda"), *who))
        self._bucket_mappings = cache(lambda: bucket_mappings(client("lambda")))

    def plan(self, found: FoundFailure) -> FoundFailure:
        """Return a failure record with its plan, or with the reason why there is none.

        The records of an object are read again: only one failure record's data is held at a time.
        """
        if found.fault:
            return found
        try:
            return replace(found, plan=self._plan(found))
        except EXPECTED_ERRORS as error:
            return replace(found, fault=str(error))

    def read_object(self, location: FailureObject) -> Mapping[str, Any]:
        """Return the failure record in an object.

        Raises:
            StreamsError: It is gone, or no mapping sends failure records to its bucket.

        """
        if location.bucket not in self._bucket_mappings():
            raise DeploymentError(
                f"no mapping sends failure records to the bucket {location.bucket}, "
                f"so {location} is not read"
            )
        return read_object(self._client("s3"), location)

    def _plan(self, found: FoundFailure) -> RedrivePlan:
        body = found.body if found.object is None else self.read_object(found.object)
        failure, settings = parse_failure(body), MappingSettings()
        who = failure.key
        if found.object is not None and who not in self._bucket_mappings()[found.object.bucket]:
            raise DeploymentError(
                f"{who[0]} has no mapping to {who[1]} that sends failure records to the bucket "
                f"{found.object.bucket}, so it is not called"
            )
        if failure.payload is None or found.object is None:
            # Who sends a message chooses no function and no stream without a mapping between them.
            settings = self._settings(*who)
        return plan_redrive(body, self._client("dynamodbstreams"), settings)
