"""Rules about records that fail: destinations, retention, alarms."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from cdk_streams.checks._facts import Consumer
from cdk_streams.checks._rule import Rule, rule
from cdk_streams.mapping import STREAM_RETENTION, destination_names

__all__ = ["RULES"]

TIME_TO_READ_BACK: Final = timedelta(hours=4)
"""What should be left of the stream's retention when a failure record arrives."""
QUEUE_RETENTION: Final = timedelta(days=4)
"""Shortest time in a failure queue that outlasts a long weekend."""


@rule(
    "InfiniteRetries",
    reason="one bad record blocks its shard until it leaves the stream after 24 hours",
    fix="Set retry_attempts to a number, such as 11",
)
def infinite_retries(consumer: Consumer, _: Sequence[Consumer]) -> str | None:
    settings = consumer.settings
    if settings is None or settings.retry_attempts >= 0:
        return None
    return "retry_attempts is -1, which is no limit"


@rule(
    "RecordAgeReachesRetention",
    reason="a record that fails for so long is trimmed from the stream, and its data is lost",
    fix="Set max_record_age to less than 24 hours, such as 6 hours",
)
def record_age_reaches_retention(consumer: Consumer, _: Sequence[Consumer]) -> str | None:
    settings = consumer.settings
    if settings is None:
        return None
    if settings.max_record_age is None:
        return "max_record_age has no limit"
    if settings.max_record_age >= STREAM_RETENTION:
        return f"max_record_age is {_hours(settings.max_record_age)}"
    return None


@rule(
    "LittleTimeToReadBack",
    reason="the failure record holds only sequence numbers, and the records they refer to are "
    "trimmed soon after it arrives",
    fix="Set max_record_age to 20 hours or less, or send failures to a bucket, which gets the data",
)
def little_time_to_read_back(consumer: Consumer, _: Sequence[Consumer]) -> str | None:
    settings, destination = consumer.settings, consumer.destination
    if settings is None or destination is None or destination.holds_data:
        return None
    age = settings.max_record_age
    if age is None or not STREAM_RETENTION - TIME_TO_READ_BACK < age < STREAM_RETENTION:
        return None
    return f"max_record_age is {_hours(age)}"


@rule(
    "NoFailureDestination",
    reason="records that fail all retries are lost without a trace",
    fix=f"Leave on_failure at its default, or pass a {destination_names()}",
    template_fix="Write DestinationConfig: {OnFailure: {Destination: the ARN of a "
    f"{destination_names()}}}}}",
)
def no_failure_destination(consumer: Consumer, _: Sequence[Consumer]) -> str | None:
    settings = consumer.settings
    if settings is None or settings.on_failure is not None:
        return None
    return "there is no on-failure destination"


@rule(
    "BisectOff",
    reason="a whole batch fails with its one bad record, the good ones included",
    fix="Set bisect_batch_on_error=True",
    template_fix="Write BisectBatchOnFunctionError: true",
)
def bisect_off(consumer: Consumer, _: Sequence[Consumer]) -> str | None:
    settings = consumer.settings
    if settings is None or settings.bisect_batch_on_error or settings.batch_size == 1:
        return None
    return f"bisect_batch_on_error is off with a batch_size of {settings.batch_size}"


@rule(
    "PartialResponsesOff",
    reason="records that were handled before a failure are handled again at every retry",
    fix="Set report_batch_item_failures=True and return batchItemFailures",
    template_fix="Write FunctionResponseTypes: [ReportBatchItemFailures] and return "
    "batchItemFailures",
)
def partial_responses_off(consumer: Consumer, _: Sequence[Consumer]) -> str | None:
    settings, function = consumer.settings, consumer.function
    if settings is None or settings.report_batch_item_failures or settings.batch_size == 1:
        return None
    if function is not None and function.uses_lambda_runtime:
        return None
    return "report_batch_item_failures is off"


@rule(
    "PartialResponseNotRead",
    reason="lambda_runtime names the failed record, but Lambda does not read the answer, so the "
    "runtime raises and the whole batch is retried",
    fix="Set report_batch_item_failures=True",
)
def partial_response_not_read(consumer: Consumer, _: Sequence[Consumer]) -> str | None:
    settings, function = consumer.settings, consumer.function
    if settings is None or settings.report_batch_item_failures:
        return None
    if function is None or not function.uses_lambda_runtime:
        return None
    return "report_batch_item_failures is off while lambda_runtime is in use"


@rule(
    "ResponseNotKnown",
    reason="Lambda reads what the handler returns as a partial response, and one that is neither "
    "empty nor batchItemFailures may fail the whole batch",
    fix='Return {"batchItemFailures": []} and acknowledge this, or set '
    "report_batch_item_failures=False",
)
def response_not_known(consumer: Consumer, _: Sequence[Consumer]) -> str | None:
    settings, function = consumer.settings, consumer.function
    if settings is None or not settings.report_batch_item_failures:
        return None
    if function is None or function.uses_lambda_runtime is not False:
        return None
    return f"report_batch_item_failures is on for {function.name}, which is no StreamFunction"


@rule(
    "FifoDestination",
    level="error",
    reason="Lambda cannot send failure records to a FIFO queue or topic, and they are lost",
    fix="Use a standard queue or topic",
)
def fifo_destination(consumer: Consumer, _: Sequence[Consumer]) -> str | None:
    destination = consumer.destination
    if destination is None or not destination.is_fifo:
        return None
    return f"the on-failure {destination.kind} is FIFO"


@rule(
    "DestinationRetentionShort",
    reason="failure records of a long weekend expire before anyone looks",
    fix="Set the queue's retention period to 4 days or more (14 is the longest)",
)
def destination_retention_short(consumer: Consumer, _: Sequence[Consumer]) -> str | None:
    destination = consumer.destination
    if destination is None or destination.retention is None:
        return None
    if destination.retention >= QUEUE_RETENTION:
        return None
    return f"the failure {destination.kind} keeps messages for {_hours(destination.retention)}"


@rule(
    "DestinationNotEncrypted",
    reason="failure records are stored unencrypted",
    fix="Turn on encryption of the destination",
    template_fix="Write SqsManagedSseEnabled: true for a queue, KmsMasterKeyId for a topic",
)
def destination_not_encrypted(consumer: Consumer, _: Sequence[Consumer]) -> str | None:
    destination = consumer.destination
    if destination is None or destination.is_encrypted is not False:
        return None
    return f"the on-failure {destination.kind} is not encrypted"


@rule(
    "DestinationWithoutTls",
    reason="failure records may cross the network unencrypted",
    fix="Set enforce_ssl=True on it, or deny requests without aws:SecureTransport",
    template_fix="Deny requests without aws:SecureTransport in the policy of the destination",
)
def destination_without_tls(consumer: Consumer, _: Sequence[Consumer]) -> str | None:
    destination = consumer.destination
    if destination is None or destination.is_tls_only is not False:
        return None
    return f"the on-failure {destination.kind} takes requests without TLS"


@rule(
    "DeadLetterOnFunction",
    reason="a function's own dead-letter queue or on_failure is for asynchronous calls; a stream "
    "calls it synchronously, so nothing ever arrives there",
    fix="Pass on_failure to the consumer and take it off the function",
    template_fix="Write the destination into DestinationConfig of the mapping and take it off "
    "the function",
)
def dead_letter_on_function(consumer: Consumer, _: Sequence[Consumer]) -> str | None:
    function = consumer.function
    if function is None or not function.has_async_dead_letter:
        return None
    if consumer.settings is None or consumer.settings.on_failure is not None:
        return None
    return f"{function.name} has a dead-letter destination, its mapping has none"


@rule(
    "FailuresNotAlarmed",
    reason="failed records expire unseen, because nobody is notified",
    fix="For a queue leave the consumer's alarms on; for a topic add a subscription; for a bucket "
    'pass OnFailure.QUEUE_WITH_PAYLOAD, or metrics=["EventCount"] and '
    "Alarms(delivered_events=True)",
    template_fix="Write an AWS::CloudWatch::Alarm on ApproximateNumberOfMessagesVisible of the "
    "queue",
)
def failures_not_alarmed(consumer: Consumer, _: Sequence[Consumer]) -> str | None:
    if consumer.failure_alarm is not False or consumer.destination is None:
        return None
    if consumer.destination.kind == "topic":
        return "the failure topic has no subscription"
    return f"no alarm watches the failure {consumer.destination.kind}"


@rule(
    "LagNotAlarmed",
    reason="a consumer that falls behind by 24 hours loses records, and nobody is notified",
    fix="Leave the consumer's alarms on, or alarm on the function's IteratorAge",
    template_fix="Write an AWS::CloudWatch::Alarm on IteratorAge of the function",
)
def lag_not_alarmed(consumer: Consumer, _: Sequence[Consumer]) -> str | None:
    return "no alarm watches IteratorAge" if consumer.lag_alarm is False else None


def _hours(length: timedelta) -> str:
    hours = length.total_seconds() / 3600
    return f"{hours:g} hours" if hours >= 1 else f"{length.total_seconds():g} seconds"


RULES: Final[tuple[Rule, ...]] = (
    infinite_retries,
    record_age_reaches_retention,
    little_time_to_read_back,
    no_failure_destination,
    bisect_off,
    partial_responses_off,
    partial_response_not_read,
    response_not_known,
    fifo_destination,
    destination_retention_short,
    destination_not_encrypted,
    destination_without_tls,
    dead_letter_on_function,
    failures_not_alarmed,
    lag_not_alarmed,
)
