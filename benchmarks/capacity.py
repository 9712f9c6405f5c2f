"""How long the model of counts takes for a day, and for a search of the cheapest settings.

python benchmarks/capacity.py
"""

from __future__ import annotations

import math
import time
from datetime import timedelta

from cdk_streams.capacity import ConsumerSize, Workload, WriteRate, forecast, propose
from cdk_streams.mapping import MappingSettings

MINUTES = 1440


def main() -> None:
    wave = [(m, 500 + 450 * math.sin(m / MINUTES * 2 * math.pi)) for m in range(MINUTES)]
    days = {
        "1,000 writes/s all day": WriteRate.constant(1000),
        "50 to 950 writes/s, minute by minute": WriteRate.by_minute(wave),
    }
    size = ConsumerSize(
        settings=MappingSettings(parallelization_factor=10), timeout=timedelta(seconds=30)
    )
    for name, writes in days.items():
        workload = Workload(writes=writes, record_ms=5, call_ms=20)
        began = time.perf_counter()
        found = forecast(workload, size)
        one_s = time.perf_counter() - began
        began = time.perf_counter()
        propose(workload, timedelta(seconds=10))
        search_s = time.perf_counter() - began
        print(
            f"{name}: {found.invocations:,} invocations in {one_s:.2f} s, search {search_s:.2f} s"
        )
    hour = Workload(writes=WriteRate.constant(1000, hours=1), record_ms=5, call_ms=20)
    began = time.perf_counter()
    forecast(hour, size, leaps=False)
    print(f"an hour of 1,000 writes/s batch by batch: {time.perf_counter() - began:.2f} s")


if __name__ == "__main__":
    main()
