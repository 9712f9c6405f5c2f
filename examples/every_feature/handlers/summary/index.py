"""Count a window's changes; the words for them stand in a file that ships beside this one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

WORDS = json.loads(Path(__file__).with_name("words.json").read_text(encoding="utf-8"))


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Carry the count from batch to batch of a window, and print it at its end."""
    state: dict[str, int] = event.get("state") or {}
    for record in event.get("Records", []):
        word = WORDS[record["eventName"]]
        state[word] = state.get(word, 0) + 1
    if event.get("isFinalInvokeForWindow"):
        print(state)
    return {"state": state, "batchItemFailures": []}
