"""Facts that the checks read: plain values, None wherever nothing is known.

A fact that is unknown (a parameter, an imported table) makes the rules about it say nothing: a
finding is only ever about a known value.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from cdk_streams.mapping import MappingSettings, ViewType

__all__ = ["Consumer", "Destination", "Function", "LastMapping", "Source"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The table behind a mapping.

    `name` tells tables apart (a logical id, a path or an ARN); `has_stream` is False when the
    table is known to have none; `replicas` counts the other regions of a global table.
    """

    name: str
    has_stream: bool | None = None
    view_type: ViewType | None = None
    replicas: int | None = None
    is_replica_wildcard: bool = False
    is_export_locked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """The function behind a mapping; `writes_to` names the tables that its role may write.

    `has_role` is False for a function that was imported without its role, which nothing can be
    granted to, `is_granted` for one whose role takes no statements of the app, `may_read` for one
    whose role no policy of the template lets read a stream. `durable_timeout` is the longest that a
    durable execution may take. `uses_lambda_runtime` is None for a function of which
    the app knows no more than the name.
    """

    name: str
    timeout: timedelta | None = None
    memory_mb: int | None = None
    reserved_concurrency: int | None = None
    writes_to: frozenset[str] = frozenset()
    has_async_dead_letter: bool = False
    has_role: bool | None = None
    is_granted: bool | None = None
    may_read: bool | None = None
    durable_timeout: timedelta | None = None
    uses_lambda_runtime: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """An on-failure destination; `kind` is the word for it, such as `queue`, `topic` or `bucket`.

    `holds_data` is True where the stream records themselves arrive, as in a bucket, not only their
    sequence numbers.
    """

    kind: str
    holds_data: bool = False
    is_fifo: bool | None = None
    retention: timedelta | None = None
    is_encrypted: bool | None = None
    is_tls_only: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LastMapping:
    """The mapping of the template that was deployed last which a consumer's mapping replaces.

    `is_same` tells that both have one logical id, so that CloudFormation updates or replaces it,
    `stream_change` why the stream is another one, where that is known.
    """

    name: str
    is_same: bool
    has_same_stream: bool
    has_same_function: bool
    starting_position: str
    stream_change: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumer:
    """One event source mapping with its table, function, failure destination and alarms.

    `faults` are the sentences of the `SettingsError` when the settings are not even legal;
    `settings` is None then. `waits_for_policy` tells whether the mapping is created after the
    role's policies, `lag_alarm` and `failure_alarm` whether somebody is notified. `last` are the
    mappings of the last template, where it is known.
    """

    name: str
    settings: MappingSettings | None
    faults: tuple[str, ...] = ()
    source: Source | None = None
    function: Function | None = None
    destination: Destination | None = None
    waits_for_policy: bool | None = None
    lag_alarm: bool | None = None
    failure_alarm: bool | None = None
    last: tuple[LastMapping, ...] = ()
