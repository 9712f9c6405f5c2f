"""`python -m cdk_streams` is `cdk-streams`."""

from __future__ import annotations

from cdk_streams.cli import main

main(prog_name="cdk-streams")
