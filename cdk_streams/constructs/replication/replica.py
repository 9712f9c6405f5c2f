"""`TableReplica`: a consumer that keeps a copy of a table, whole, in part or transformed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Unpack

from aws_cdk import Duration, Token
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from cdk_streams._argument_checks import check_instance
from cdk_streams._documentation import page
from cdk_streams.constructs._alarm_creation import alarm_action
from cdk_streams.constructs._bundle.shipped_handlers import (
    UserFunction,
    options_of_function,
    shipped_entry,
    user_function,
)
from cdk_streams.constructs._props import ConsumerOptions, FunctionOptions
from cdk_streams.constructs._registry import placement_of
from cdk_streams.constructs._source import source_of
from cdk_streams.constructs._validation.warnings import add_warning
from cdk_streams.constructs.alarms import DEFAULT
from cdk_streams.constructs.consumer import StreamConsumer
from cdk_streams.constructs.function import StreamFunction
from cdk_streams.constructs.metrics import MetricOptions, minutes
from cdk_streams.constructs.replication._target import (
    AnyRole,
    grant_write,
    key_names,
    target_of,
)
from cdk_streams.errors import SettingsError, SourceError
from cdk_streams.filters import Filter, NewImage
from cdk_streams.mapping import Seconds, in_seconds

if TYPE_CHECKING:
    from cdk_streams.constructs.replication.distributed_backfill import DistributedBackfill

__all__ = ["Backfill", "LastWriterWins", "TableReplica"]

_NAMESPACE: Final = "CdkStreams/Replication"
_MEMORY_MB: Final = 512
# A worker computes for minutes: one whole CPU, and the most time that a function has.
_WORKER_MEMORY_MB: Final = 1_769
_WORKER_MINUTES: Final = 15
_LAG_MINUTES: Final = 3
_MAX_LAG_S: Final = 300
_IMPORT_KEY: Final = "import it with aws_kms.Key.from_key_arn"


class Backfill(Enum):
    """How a replica gets what its source holds already, besides `cdk-streams backfill`."""

    DISTRIBUTED = "a state machine that writes the files of a point-in-time export in parallel"


@dataclass(frozen=True, slots=True)
class LastWriterWins:
    """The rule for two tables that replicate each other: the item with the higher version stays.

    Args:
        version: The attribute that every write of the application sets to a higher value than
            before: a number, or text that sorts as its meaning does, such as an ISO time in UTC.

    """

    version: str

    def __post_init__(self) -> None:
        """Refuse a name that no attribute has."""
        if not isinstance(self.version, str) or not self.version:
            raise SettingsError(
                f"version must name an attribute of the items, got {self.version!r}; "
                "pass LastWriterWins('updated_at')"
            )


class TableReplica(StreamConsumer):
    """A copy of a table in another Region, another account or beside it, kept by its stream.

    It is a `StreamConsumer` whose function ships with the library. Each write is guarded by the
    sequence number of its change, so that retries, duplicates and redriven records never bring an
    older state back; deleted items leave tombstones that expire after 15 days, when the target's
    time to live is on for `_stream_expires_at`.

    Args:
        scope: The parent construct.
        id: The construct id within that scope; the function is `{id}Function` beside it.
        source: A table with a stream of new images; of both images for `transform` and `two_way`.
        target: A table of this app, an imported one, or the name of a table.
        region: The target's Region; left out, that of the table, or of this stack for a name.
        role: The role to assume for a target in another account: a `ReplicaTargetRole`, or its
            ARN.
        target_keys: The target's key attributes, the partition key first; needed with
            `transform` for a table that this app does not define.
        target_encryption_key: The target's KMS key, when the table does not know it.
        transform: `"handlers/shape.py:shape"`: a function from one item to None, an item or a
            list of items. The file ships with the function.
        skip_expired: Whether deletes by DynamoDB's time to live are left out.
        two_way: The rule by which conflicts are settled when another `TableReplica` writes the
            source from the target.
        concurrency: Items that are written at a time, in one invocation; 1 or more.
        backfill: `Backfill.DISTRIBUTED` makes a state machine that writes what the source holds;
            the source needs point-in-time recovery. Left out, use `cdk-streams backfill`.
        max_lag: The age of a replicated change, in three minutes on end, at which the alarm goes
            off; None creates no alarm.
        function_options: Options of the `StreamFunction`, such as `memory_size` (512 MB).
        options: Everything that `StreamConsumer` takes besides `table` and `function`. A filter
            must ask for what never changes in an item; for the rest let `transform` return None.

    Raises:
        SettingsError: Options that do not fit each other.
        SourceError: A source without the images needed, or a target that is the source.

    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - CDK's name for it
        *,
        source: dynamodb.ITable,
        target: dynamodb.ITable | str,
        region: str | None = None,
        role: AnyRole | None = None,
        target_keys: Sequence[str] = (),
        target_encryption_key: kms.IKey | None = None,
        transform: str | None = None,
        skip_expired: bool = False,
        two_way: LastWriterWins | None = None,
        concurrency: int = 16,
        backfill: Backfill | None = None,
        max_lag: Seconds | None = _MAX_LAG_S,
        function_options: FunctionOptions | None = None,
        **options: Unpack[ConsumerOptions],
    ) -> None:
        _check_options(transform, two_way, concurrency, backfill)
        _check_values(region, role, target_encryption_key, skip_expired, max_lag)
        _check_images(scope, source, needs_both=transform is not None or two_way is not None)
        shape = None if transform is None else user_function("transform", transform)
        found = target_of(
            scope, source, target, region=region, keys=target_keys, transforms=shape is not None
        )
        name = f"{scope.node.path}/{id}"
        role_arn = role if isinstance(role, str) or role is None else role.role_arn
        variables: dict[str, str | None] = {
            "STREAM_REPLICA_TABLE": found.name,
            "STREAM_REPLICA_KEYS": ",".join(found.keys),
            "STREAM_REPLICA_REGION": found.region,
            "STREAM_REPLICA_ROLE_ARN": role_arn,
            "STREAM_REPLICA_TRANSFORM": shape and shape.imported_as,
            "STREAM_REPLICA_SKIP_EXPIRED": "1" if skip_expired else None,
            "STREAM_REPLICA_VERSION": None if two_way is None else two_way.version,
            "STREAM_REPLICA_CONCURRENCY": str(concurrency),
            "STREAM_REPLICA_NAME": name,
        }
        environment = {key: value for key, value in variables.items() if value}
        function = _function(
            scope,
            f"{id}Function",
            handler="replica",
            shape=shape,
            environment=environment,
            options=options_of_function(function_options),
        )
        if two_way is not None and "filters" not in options:
            options["filters"] = _FROM_APPLICATION
        super().__init__(scope, id, table=source, function=function, **options)
        self._target, self._role_arn, self._replica_name = found, role_arn, name
        self._grant(function, target_encryption_key)
        self._lag_alarm = self._create_lag_alarm(max_lag, options)
        self._backfill: DistributedBackfill | None = None
        if backfill is Backfill.DISTRIBUTED:
            self._backfill = self._distributed(source, shape, environment, target_encryption_key)
        if shape is None and not skip_expired and (two_way or not options.get("filters")):
            self._recommend_global_table(source)

    @property
    def target_name(self) -> str:
        """The name of the target."""
        return self._target.name

    @property
    def backfill(self) -> DistributedBackfill | None:
        """The state machine, worker and bucket of `Backfill.DISTRIBUTED`; None without it."""
        return self._backfill

    @property
    def lag_alarm(self) -> cloudwatch.Alarm | None:
        """The alarm on the replica's lag; None where `max_lag` is None."""
        return self._lag_alarm

    def metric_lag(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Age of a change when it was in the target, in ms; maximum."""
        return self._metric("ReplicationLag", "Maximum", options)

    def metric_writes(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Items and tombstones written to the target; sum."""
        return self._metric("Writes", "Sum", options)

    def metric_superseded_writes(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Writes that were refused because the target had the change or a newer one; sum."""
        return self._metric("SupersededWrites", "Sum", options)

    def metric_conflicts(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Writes of a two-way replica that lost against a write in the target; sum."""
        return self._metric("Conflicts", "Sum", options)

    def _metric(self, name: str, statistic: str, options: MetricOptions) -> cloudwatch.Metric:
        chosen: dict[str, Any] = {"statistic": statistic, "period": minutes(1), **options}
        return cloudwatch.Metric(
            namespace=_NAMESPACE,
            metric_name=name,
            dimensions_map={"Replica": self._replica_name},
            **chosen,
        )

    def _distributed(
        self,
        source: dynamodb.ITable,
        shape: UserFunction | None,
        environment: Mapping[str, str],
        key: kms.IKey | None,
    ) -> DistributedBackfill:
        # Step Functions' modules are loaded where a state machine is made.
        from cdk_streams.constructs.replication.distributed_backfill import (  # noqa: PLC0415 - see above
            DistributedBackfill,
        )

        keys = key_names(source) or self._target.keys
        if not keys:
            raise SettingsError(
                "target_keys must be given for a backfill of an imported table, got none; pass "
                "target_keys=('pk',), the key attributes of both tables"
            )
        worker = _function(
            self,
            "BackfillWorker",
            handler="backfill_worker",
            shape=shape,
            environment={**environment, "STREAM_REPLICA_SOURCE_KEYS": ",".join(keys)},
            options={
                "memory_size": _WORKER_MEMORY_MB,
                "timeout": Duration.minutes(_WORKER_MINUTES),
            },
        )
        self._grant(worker, key)
        return DistributedBackfill(self, "Backfill", source=source, worker=worker)

    def _grant(self, function: StreamFunction, key: kms.IKey | None) -> None:
        if self._role_arn is None:
            grant_write(function, self._target, key)
            return
        iam.Grant.add_to_principal(
            grantee=function, actions=["sts:AssumeRole"], resource_arns=[self._role_arn]
        )

    def _create_lag_alarm(
        self, max_lag: Seconds | None, options: ConsumerOptions
    ) -> cloudwatch.Alarm | None:
        if max_lag is None:
            return None
        alarm = self.metric_lag().create_alarm(
            self,
            "LagAlarm",
            threshold=in_seconds(max_lag) * 1000,
            evaluation_periods=_LAG_MINUTES,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=(
                "The replica is behind its source by more than max_lag; look at throttled writes "
                "of the target and at the function's errors."
            ),
        )
        alarms = options.get("alarms", DEFAULT)
        for action in alarms.actions if alarms else ():
            alarm.add_alarm_action(alarm_action(action))
        return alarm

    def _recommend_global_table(self, source: dynamodb.ITable) -> None:
        here, there = source.env.region, self._target.region
        if self._role_arn or there is None or Token.is_unresolved(here) or here == there:
            return
        add_warning(
            self,
            "cdk-streams:GlobalTable",
            f"the replica in {there} copies every item of the same account as it is, which a "
            "global table does without a function: pass replicas=[ReplicaTableProps("
            f"region={there!r})] to the table, or acknowledge this where a table of its own is "
            "needed (other settings, other access, an existing table). See "
            f"{page('checks', 'GlobalTable')}",
        )


def _function(
    scope: Construct,
    id: str,  # noqa: A002 - CDK's name for it
    *,
    handler: str,
    shape: UserFunction | None,
    environment: Mapping[str, str],
    options: Mapping[str, Any],
) -> StreamFunction:
    """Make a function of a shipped handler, with the user's transform beside it."""
    chosen: dict[str, Any] = {"memory_size": _MEMORY_MB, **options}
    chosen["environment"] = {**environment, **(chosen.get("environment") or {})}
    entry = shipped_entry(scope, handler, shape)
    return StreamFunction(scope, id, entry=entry, index=f"{handler}.py", **chosen)


# What the other replica inserts need not call the function; it cannot tell of a later change.
_FROM_APPLICATION: Final[Sequence[Any]] = (
    Filter.insert(NewImage("_stream_origin").not_exists()),
    Filter.modify(),
    Filter.remove(),
)


def _check_options(transform: str | None, two_way: Any, concurrency: Any, backfill: Any) -> None:
    faults: list[str] = []
    if two_way is not None and transform is not None:
        faults.append(
            "two_way must be left out with a transform, got both: items go both ways as they are"
        )
    if not isinstance(two_way, LastWriterWins | None):
        faults.append(f"two_way must be a LastWriterWins or None, got {two_way!r}")
    if not isinstance(backfill, Backfill | None):
        faults.append(f"backfill must be Backfill.DISTRIBUTED or None, got {backfill!r}")
    if backfill is not None and two_way is not None:
        faults.append(
            "backfill must be left out with two_way, got both; use cdk-streams backfill "
            "--version-attribute"
        )
    if not isinstance(concurrency, int) or isinstance(concurrency, bool) or concurrency < 1:
        faults.append(f"concurrency must be a number from 1, got {concurrency!r}")
    if faults:
        raise SettingsError(*faults)


def _check_values(region: Any, role: Any, key: Any, skip_expired: Any, max_lag: Any) -> None:
    if key is not None:
        check_instance("target_encryption_key", key, Construct, _IMPORT_KEY)
    faults: list[str] = []
    if region is not None and (not isinstance(region, str) or not region):
        faults.append(f"region must be the name of a Region, such as eu-west-1, got {region!r}")
    if isinstance(role, str):
        is_role = role.startswith("arn:") or Token.is_unresolved(role)
    else:
        is_role = role is None or hasattr(role, "role_arn")
    if not is_role:
        faults.append(
            f"role must be a role of aws_iam or the ARN of one, got {role!r}; pass "
            "'arn:aws:iam::<account>:role/<name>'"
        )
    if not isinstance(skip_expired, bool):
        faults.append(f"skip_expired must be True or False, got {skip_expired!r}")
    seconds = in_seconds(max_lag)
    is_length = isinstance(seconds, (int, float)) and not isinstance(seconds, bool)
    if max_lag is not None and not (is_length and 0 < seconds < math.inf):
        faults.append(
            f"max_lag must be a duration or a number of seconds above 0, got {seconds!r}; pass "
            "None for no alarm"
        )
    if faults:
        raise SettingsError(*faults)


def _check_images(scope: Construct, source: dynamodb.ITable, *, needs_both: bool) -> None:
    view_type = source_of(source, placement_of(scope)).view_type
    if view_type is None:
        return
    both = dynamodb.StreamViewType.NEW_AND_OLD_IMAGES
    fits = (both,) if needs_both else (both, dynamodb.StreamViewType.NEW_IMAGE)
    if view_type not in fits:
        why = "transform and two_way need both images" if needs_both else "it copies new images"
        raise SourceError(
            f"source must have a stream of {' or '.join(each.value for each in fits)}, got "
            f"{view_type.value}: {why}; set stream_view_type on the table"
        )
