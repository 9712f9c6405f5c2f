"""`make demo`, or `python -m sample_app.demo --orders 300 --seed 7`.

Deploys the sample app to a local AWS with the real cdk command, writes a day's orders to its
table, shows how its two consumers follow, checks what they left, and stops what it started, also
when interrupted. Ends 0 when stock and audit trail are right.

The local AWS's own poller is switched off, because it does not retry, bisect or dead-letter: the
consumers are driven as Lambda drives them. What happens to a batch that fails is the second act.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from cdk_streams.errors import StreamsError
from cdk_streams.local import (
    CdkCommand,
    LocalAws,
    bootstrap,
    client,
    deploy,
    environment,
    exit_on_signals,
    local_aws,
    synthesize,
)
from sample_app.demo.checks import audit_faults, stock_faults
from sample_app.demo.orders import Day, plan_day
from sample_app.demo.run import run_day
from sample_app.demo.screen import step, verdict
from sample_app.demo.second_act import second_act
from sample_app.demo.shop import Shop

if TYPE_CHECKING:
    from collections.abc import Callable

_ABOUT = "Deploy the sample app to a local AWS, write a day's orders, check what came of them."
_COLUMNS = 5
_ROOT = Path(__file__).resolve().parents[2]
_PICTURE = _ROOT / "build" / "second-act.html"


def main() -> int:
    """Run the demo; 0 when everything is right, 1 when not, 128 and the signal when stopped."""
    asked = _arguments()
    console = Console()
    day = plan_day(orders=asked.orders, seed=asked.seed)
    began = time.monotonic()
    try:
        with exit_on_signals():
            right = _demo(console, day)
    except SystemExit:
        console.print("\ninterrupted; everything it started is stopped")
        raise
    except StreamsError as error:
        console.print(f"\n[red]the demo failed:[/] {type(error).__name__}")
        console.print(str(error), markup=False, highlight=False, soft_wrap=True)
        return 1
    console.print(f"\nstopped; nothing is left running ({time.monotonic() - began:.0f} s)")
    return 0 if right else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sample_app.demo", description=_ABOUT)
    parser.add_argument("--orders", type=int, default=300, help="orders of the day (300)")
    parser.add_argument("--seed", type=int, default=7, help="the same seed is the same day (7)")
    return parser.parse_args()


def _demo(console: Console, day: Day) -> bool:
    with local_aws() as aws:
        console.print(f"a local AWS, {aws.endpoint_url}, for this run only", highlight=False)
        shop = _deployed(console, aws)
        stock, audit = run_day(console, shop, aws, day)
        wrong = [stock_faults(day, stock), audit_faults(day, audit)]
        orders = sum(write.action == "place" for write in day.writes)
        verdict(console, f"stock is right for every article, after {orders} orders", wrong[0])
        verdict(console, f"the audit trail holds all {len(day.writes)} changes, in order", wrong[1])
        if any(wrong):
            last = aws.log.read_text(errors="replace").splitlines()[-20:]
            console.print("\n".join(["the local AWS said last:", *last]), markup=False)
        return second_act(console, shop, aws, _PICTURE) and not any(wrong)


def _deployed(console: Console, aws: LocalAws) -> Shop:
    """Bring the stack up and give the names it put out."""
    variables = environment(aws)
    # The cdk command and the Python that runs the app are those of this virtual environment.
    variables["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), variables["PATH"]])
    # CDK's own check of the template takes longer than the rest; `make template` runs with it.
    variables["CDK_VALIDATION"] = "false"

    def cdk(say: Callable[[str], None]) -> CdkCommand:
        return CdkCommand(_ROOT, variables, on_line=lambda line: say(_told(line)))

    done = "the app is synthesized, the account prepared (cdk synth, bootstrap)"
    # Neither needs the other, and each keeps about one processor busy.
    with ThreadPoolExecutor(1) as other, step(console, "cdk synth, cdk bootstrap", done) as say:
        prepared = other.submit(bootstrap, cdk(say), account=aws.account, region=aws.region)
        assembly = synthesize(cdk(say), aws.folder / "cdk.out")
        prepared.result()
    with step(console, "cdk deploy", "the stack is deployed (cdk deploy)") as say:
        outputs = deploy(cdk(say), assembly)["Orders"]
    return Shop(
        client(aws, "dynamodb"),
        client(aws, "s3"),
        orders_table=outputs["OrdersTableName"],
        stock_table=outputs["StockTableName"],
        audit_bucket=outputs["AuditBucketName"],
    )


def _told(line: str) -> str:
    """`Orders | 7/31 | 6:03 PM | CREATE_COMPLETE | AWS::S3::Bucket | …`: `7/31 AWS::S3::Bucket`."""
    parts = [part.strip() for part in line.split("|")]
    return f"{parts[1]} {parts[4]}" if len(parts) > _COLUMNS else ""


if __name__ == "__main__":
    sys.exit(main())
