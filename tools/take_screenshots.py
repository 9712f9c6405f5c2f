"""Write the pictures that no test can compare: the timeline page, and a local run in a terminal.

Run it as `make screenshots`, with Chromium of the system's packages. Browsers draw the same page in
other pixels, and each local run has other times, ports and ids.
"""

from __future__ import annotations

import re
import shlex
import shutil
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Literal

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from cdk_streams.simulator import (  # noqa: E402 - run as a script, it has no package
    NO_FAULTS,
    MappingSettings,
    World,
    timeline_html,
)
from tools import terminal_picture  # noqa: E402 - the same

FOLDER: Final = ROOT / "docs" / "pictures"
SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
SCREENSHOTS: Final = {f"timeline-{scheme}.png": scheme for scheme in SCHEMES}
LOCAL: Final = "local.svg"
TUTORIAL: Final = ("app.py", "handlers/notify.py", "seed.py")
POISON: Final = "6"
QUEUE: Final = "arn:aws:sqs:us-east-1:123456789012:failures"


def poisoned() -> World:
    """Run twenty writes, the sixth of which makes the handler fail on every attempt."""
    world = World(faults=NO_FAULTS)
    orders = world.table("Orders")

    def handler(event: dict[str, Any], context: Any) -> None:
        context.spend(0.2)
        if POISON in (each["dynamodb"]["Keys"]["pk"]["S"] for each in event["Records"]):
            raise ValueError("a poison record")

    settings = MappingSettings(
        batch_size=8, retry_attempts=3, bisect_batch_on_error=True, on_failure=QUEUE
    )
    world.consumer("audit", handler, table=orders, settings=settings)
    for number in range(1, 21):
        orders.put({"pk": str(number)})
        world.run_for(timedelta(milliseconds=50))
    world.run()
    return world


def local_in_a_terminal() -> str:
    """Deploy the tutorial's app to a local AWS and draw what `cdk-streams local` printed."""
    page = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    sources = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "cdk.json").write_text('{"app": "python app.py"}\n', encoding="utf-8")
        for name, source in zip(TUTORIAL, sources, strict=False):  # The last one is a test.
            file = Path(folder, name)
            file.parent.mkdir(exist_ok=True)
            file.write_text(source, encoding="utf-8")
        words = ("local", "--run", "python seed.py", "--allow-failures")
        text = terminal_picture.printed(*words, folder=Path(folder))
    return terminal_picture.picture(
        f"cdk-streams {shlex.join(words)}", text, "Three orders, the second of which is discarded."
    )


def main() -> int:
    """Write the files; 1 without a Chromium."""
    names = ("chromium", "chromium-browser", "google-chrome")
    chromium = next((found for each in names if (found := shutil.which(each))), None)
    if chromium is None:
        print(f"screenshots: there must be one of {', '.join(names)} on the PATH, got none")
        return 1
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = Path(folder, "timeline.html")
        file.write_text(timeline_html(poisoned(), title="A poison record"), encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=chromium)
        for name, scheme in SCREENSHOTS.items():
            page = browser.new_page(viewport={"width": 1100, "height": 708}, color_scheme=scheme)
            page.goto(file.as_uri())
            page.screenshot(path=FOLDER / name)
            print(f"docs/pictures/{name}: written")
        browser.close()
    (FOLDER / LOCAL).write_text(local_in_a_terminal(), encoding="utf-8")
    print(f"docs/pictures/{LOCAL}: written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
