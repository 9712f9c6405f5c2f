"""How fast lambda_runtime is beside boto3, Powertools, ddbcereal and cerealbox, and how it grows.

    python -m pip install --requirement benchmarks/requirements.txt
    python benchmarks/runtime.py

Contestants take turns in this process, on the same events, and give the same answers (checked
first). Times are CPU microseconds for one record, with the garbage collector on, as Lambda runs
functions, and beside it with the collector off, as timeit has it. A ratio is a contestant's time
over ours. It is taken twice: of the fastest turns, which a busy machine disturbs least and by
which targets are judged, with the collector on, and of the medians. Ends with 1 when a target is
missed.
"""

from __future__ import annotations

import gc
import itertools
import statistics
import sys
import time
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING, Any

# So that it runs as it stands, installed or not.
sys.path.insert(0, str(Path(__file__).parent.parent))

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[[dict[str, Any]], object]

OURS = "lambda_runtime"
# Lambda's own batch size for DynamoDB streams.
BATCH = 100
# Runs of a turn: what the contestant before has left in the processor's caches matters less.
RUNS = 5
# Growth is linear while a unit of ten times the work costs at most four times as much: caches run
# out, which doubles it once, and the collector passes over all that the answer keeps. Anything that
# is not linear would cost ten times as much.
LINEAR = 4.0


def take_turns(
    runs: dict[str, Run], event: dict[str, Any], turns: int, *, collecting: bool
) -> dict[str, list[float]]:
    """CPU microseconds for one record, of each turn of each contestant."""
    records = len(event["Records"])
    times: dict[str, list[float]] = {name: [] for name in runs}
    for run in runs.values():
        run(event)
    for _ in range(turns):
        for name, run in runs.items():
            # So that nobody collects what another one has left.
            gc.collect()
            if not collecting:
                gc.disable()
            start = time.process_time_ns()
            for _ in range(RUNS):
                run(event)
            times[name].append((time.process_time_ns() - start) / RUNS / records / 1_000)
            gc.enable()
    return times


def compare(
    title: str, runs: dict[str, Run], event: dict[str, Any], targets: dict[str, float], turns: int
) -> list[str]:
    """Print one table; give a sentence for each target that is missed."""
    on = take_turns(runs, event, turns, collecting=True)
    off = take_turns(runs, event, turns, collecting=False)
    print(f"\n{title} ({len(event['Records']):,} records, {turns} turns of {RUNS})")
    print(f"  {'':40}{'collector on':>38}{'':9}{'collector off':>29}")
    print(
        f"  {'':40}{'fastest':>10}{'median':>10}{'ratio':>9}{'of medians':>12}{'target':>9}"
        f"{'fastest':>10}{'ratio':>9}{'of medians':>12}"
    )
    missed = []
    for name in runs:
        target = targets.get(name)
        ratio, of_medians = ratios(on, name)
        row = f"  {name:40}{min(on[name]):9.2f}µ{statistics.median(on[name]):9.2f}µ{ratio:8.2f}x"
        row += f"{of_medians:11.2f}x" + (f"{target:8.2f}x" if target else " " * 9)
        without, of_medians = ratios(off, name)
        print(f"{row}{min(off[name]):9.2f}µ{without:8.2f}x{of_medians:11.2f}x")
        if target and ratio < target:
            missed.append(f"{title}: {name} is {ratio:.2f}x, the target is {target:.2f}x")
    return missed


def ratios(times: dict[str, list[float]], name: str) -> tuple[float, float]:
    """Of the fastest turns and of the medians: a contestant's time over ours."""
    ours, theirs = times[OURS], times[name]
    return min(theirs) / min(ours), statistics.median(theirs) / statistics.median(ours)


def growth(
    title: str, runs: dict[str, Run], events: dict[int, dict[str, Any]], units: list[int]
) -> list[str]:
    """Print what one unit costs as the work grows; give a sentence where ours costs ever more.

    boto3 stands beside it: what both pay more is the machine's, for memory that no cache holds.
    """
    print(f"\n{title}")
    print(f"  {'':>10}{'time of one':>14}{'memory of one':>16}{'boto3: time':>16}{'memory':>12}")
    costs = []
    for (size, event), count in zip(events.items(), units, strict=True):
        times = take_turns(runs, event, max(3, 4_000 // count), collecting=True)
        row: list[float] = [size]
        for name, run in runs.items():
            row += [
                min(times[name]) * len(event["Records"]) / count,
                peak_bytes(run, event) / count,
            ]
        costs.append(row)
        print("  {:>10,.0f}{:12.3f}µs{:14,.0f} B{:14.3f}µs{:10,.0f} B".format(*row))
    missed = []
    for before, after in itertools.pairwise(costs):
        for what, cheap, dear in zip(("time", "memory"), before[1:3], after[1:3], strict=True):
            if dear > cheap * LINEAR:
                grown = (
                    f"{what} of one is {dear / cheap:.2f}x from {before[0]:,.0f} to {after[0]:,.0f}"
                )
                missed.append(f"{title}: {grown}, linear is at most {LINEAR}x")
    return missed


def peak_bytes(run: Run, event: dict[str, Any]) -> int:
    """How much memory a run needs at most, its answer included and the event not."""
    tracemalloc.start()
    answer = run(event)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    del answer
    return peak


def main() -> int | str:
    from benchmarks import contestants, events

    everything, some, batch = (
        contestants.decode_everything(),
        contestants.do_what_handlers_do(),
        contestants.handle_a_batch(),
    )
    usual, large = events.event(BATCH), events.event(1_000)
    for runs in (everything, some):
        answers = {name: run(usual) for name, run in runs.items()}
        for name, answer in answers.items():
            if answer != answers[OURS]:
                return f"{name} gives another answer"

    missed = compare(
        "Everything decoded",
        everything,
        usual,
        {"boto3": 1.9, "powertools": 3.0, "ddbcereal": 1.15, "cerealbox": 1.1},
        turns=40,
    )
    missed += compare(
        "What handlers do: a key, two attributes, one compared with its old value",
        some,
        usual,
        {"boto3": 10.0, "powertools": 15.0},
        turns=80,
    )
    missed += compare("A batch through the router", batch, large, {"powertools": 15.0}, turns=5)
    two = {name: everything[name] for name in (OURS, "boto3")}
    sizes = [10, 100, 1_000, 10_000]
    missed += growth("More records", two, {size: events.event(size) for size in sizes}, sizes)
    sizes = [1, 10, 100, 300]
    units = [(size + 1) * BATCH for size in sizes]  # and the fixed cost of a record as one more
    wide = {size: events.wide_event(size, BATCH) for size in sizes}
    missed += growth("More attributes", contestants.decode_new_images(), wide, units)
    print()
    for sentence in missed:
        print(f"MISSED {sentence}")
    print("every target is met" if not missed else f"{len(missed)} targets are missed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
