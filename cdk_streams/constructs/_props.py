"""What TableV2, Function and StreamConsumer take besides what our constructs name themselves.

The names and types are those of aws-cdk-lib; a test compares them with the installed version, so
that nothing CDK can do is lost. CDK's reference describes each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from collections.abc import Iterable

    import aws_cdk as cdk
    from aws_cdk import aws_codeguruprofiler as codeguruprofiler
    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_ec2 as ec2
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_kinesis as kinesis
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_sns as sns
    from aws_cdk import aws_sqs as sqs
    from aws_cdk import interfaces

    from cdk_streams.constructs._keys import AnyKey
    from cdk_streams.constructs._mapping import Switch
    from cdk_streams.constructs.alarms import Alarms
    from cdk_streams.constructs.failures import OnFailureChoice, RejectsChoice
    from cdk_streams.mapping import MetricType, Pattern, Seconds, StartingPosition

__all__ = ["ConsumerOptions", "FunctionOptions", "TableOptions"]


class ConsumerOptions(TypedDict, total=False):
    """Keyword arguments of `StreamConsumer` besides `table` and `function`."""

    on_failure: OnFailureChoice
    rejects: RejectsChoice
    batch_size: int
    max_batching_window: Seconds
    parallelization_factor: int
    retry_attempts: int | None
    max_record_age: Seconds | None
    bisect_batch_on_error: bool
    report_batch_item_failures: bool
    tumbling_window: Seconds | None
    starting_position: StartingPosition | lambda_.StartingPosition
    filters: Iterable[Pattern]
    filter_encryption: AnyKey | None
    filter_quota: int
    metrics: Sequence[MetricType]
    enabled: Switch
    tags: Mapping[str, str] | Iterable[tuple[str, str]]
    alarms: Alarms | None


class TableOptions(TypedDict, total=False):
    """Keyword arguments of `aws_cdk.aws_dynamodb.TableV2`."""

    billing: dynamodb.Billing | None
    encryption: dynamodb.TableEncryptionV2 | None
    global_secondary_indexes: Sequence[dynamodb.GlobalSecondaryIndexPropsV2 | dict[str, Any]] | None
    global_table_settings_replication_mode: dynamodb.GlobalTableSettingsReplicationMode | None
    local_secondary_indexes: Sequence[dynamodb.LocalSecondaryIndexProps | dict[str, Any]] | None
    multi_region_consistency: dynamodb.MultiRegionConsistency | None
    removal_policy: cdk.RemovalPolicy | None
    replicas: Sequence[dynamodb.ReplicaTableProps | dict[str, Any]] | None
    sort_key: dynamodb.Attribute | dict[str, Any] | None
    table_name: str | None
    time_to_live_attribute: str | None
    warm_throughput: dynamodb.WarmThroughput | dict[str, Any] | None
    witness_region: str | None
    contributor_insights: bool | None
    contributor_insights_specification: (
        dynamodb.ContributorInsightsSpecification | dict[str, Any] | None
    )
    deletion_protection: bool | None
    kinesis_stream: kinesis.IStream | None
    point_in_time_recovery: bool | None
    point_in_time_recovery_specification: (
        dynamodb.PointInTimeRecoverySpecification | dict[str, Any] | None
    )
    resource_policy: iam.PolicyDocument | None
    stream_resource_policy: iam.PolicyDocument | None
    table_class: dynamodb.TableClass | None
    tags: Sequence[cdk.CfnTag | dict[str, Any]] | None


class FunctionOptions(TypedDict, total=False):
    """Keyword arguments of `aws_cdk.aws_lambda.Function`."""

    adot_instrumentation: lambda_.AdotInstrumentationConfig | dict[str, Any] | None
    allow_all_ipv6_outbound: bool | None
    allow_all_outbound: bool | None
    allow_public_subnet: bool | None
    application_log_level: str | None
    application_log_level_v2: lambda_.ApplicationLogLevel | None
    architecture: lambda_.Architecture | None
    code_signing_config: interfaces.aws_lambda.ICodeSigningConfigRef | None
    current_version_options: lambda_.VersionOptions | dict[str, Any] | None
    dead_letter_queue: sqs.IQueue | None
    dead_letter_queue_enabled: bool | None
    dead_letter_topic: sns.ITopic | None
    description: str | None
    durable_config: lambda_.DurableConfig | dict[str, Any] | None
    environment: Mapping[str, str] | None
    environment_encryption: interfaces.aws_kms.IKeyRef | None
    ephemeral_storage_size: cdk.Size | None
    events: Sequence[lambda_.IEventSource] | None
    filesystem: lambda_.FileSystem | None
    function_name: str | None
    initial_policy: Sequence[iam.PolicyStatement] | None
    insights_version: lambda_.LambdaInsightsVersion | None
    ipv6_allowed_for_dual_stack: bool | None
    layers: Sequence[lambda_.ILayerVersion] | None
    log_format: str | None
    logging_format: lambda_.LoggingFormat | None
    log_group: interfaces.aws_logs.ILogGroupRef | None
    log_removal_policy: cdk.RemovalPolicy | None
    memory_size: float | None
    params_and_secrets: lambda_.ParamsAndSecretsLayerVersion | None
    profiling: bool | None
    profiling_group: codeguruprofiler.IProfilingGroup | None
    recursive_loop: lambda_.RecursiveLoop | None
    reserved_concurrent_executions: float | None
    role: iam.IRole | None
    runtime_management_mode: lambda_.RuntimeManagementMode | None
    security_groups: Sequence[ec2.ISecurityGroup] | None
    snap_start: lambda_.SnapStartConf | None
    system_log_level: str | None
    system_log_level_v2: lambda_.SystemLogLevel | None
    tenancy_config: lambda_.TenancyConfig | None
    timeout: cdk.Duration | None
    tracing: lambda_.Tracing | None
    vpc: ec2.IVpc | None
    vpc_subnets: ec2.SubnetSelection | dict[str, Any] | None
    max_event_age: cdk.Duration | None
    on_failure: lambda_.IDestination | None
    on_success: lambda_.IDestination | None
    retry_attempts: float | None
