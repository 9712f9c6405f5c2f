"""A CDK app on this machine: a local AWS, the cdk command, one run of `cdk-streams local`.

    with local_aws() as aws:
        client(aws, "dynamodb").list_tables()

Each name is loaded when it is first used: reading a template does not pay for boto3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cdk_streams._lazy import lazy_names

if TYPE_CHECKING:
    from cdk_streams._signals import exit_on_signals
    from cdk_streams.local._cdk_command import (
        CdkCommand,
        CdkCommandError,
        bootstrap,
        deploy,
        destroy,
        run_cdk,
        synthesize,
    )
    from cdk_streams.local._local_app import (
        LocalApp,
        LocalRun,
        Step,
        connection_variables,
        local_run,
    )
    from cdk_streams.local._local_aws import LocalAws, LocalAwsError, client, environment, local_aws
    from cdk_streams.local._source_watcher import SourceWatcher

__all__ = [
    "CdkCommand",
    "CdkCommandError",
    "LocalApp",
    "LocalAws",
    "LocalAwsError",
    "LocalRun",
    "SourceWatcher",
    "Step",
    "bootstrap",
    "client",
    "connection_variables",
    "deploy",
    "destroy",
    "environment",
    "exit_on_signals",
    "local_aws",
    "local_run",
    "run_cdk",
    "synthesize",
]

if not TYPE_CHECKING:  # A type checker knows only the names above.
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "cdk_streams._signals": "exit_on_signals",
            "cdk_streams.local._cdk_command": (
                "CdkCommand CdkCommandError bootstrap deploy destroy run_cdk synthesize"
            ),
            "cdk_streams.local._local_app": "LocalApp LocalRun Step connection_variables local_run",
            "cdk_streams.local._local_aws": "LocalAws LocalAwsError client environment local_aws",
            "cdk_streams.local._source_watcher": "SourceWatcher",
        },
    )
