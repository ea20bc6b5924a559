"""What segmenter does for the same figures, each by the way that a launch takes."""

import json
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.alternatives import HALF_LIFE_DAYS, RECENT_DAYS, REGIONS, SPEND_MIN, WINDOW_DAYS
from benchmarks.shop import AS_OF

RULES = (
    f"rules.spend.min={SPEND_MIN}",
    f"rules.recency.max_days={RECENT_DAYS}",
    f"rules.region.include=[{','.join(REGIONS)}]",
)


def whole(folder: Path) -> Any:
    """Read the orders into all measures of the default set."""
    from hydra import compose, initialize_config_dir

    from segmenter.history import measure
    from segmenter.home import HOME
    from segmenter.settings import LaunchJob, parse
    from segmenter.sources.reading import read_tables

    with initialize_config_dir(str(HOME / "conf"), version_base="1.3"):
        job = parse(LaunchJob, compose("launch", ["data=files", f"data.orders.path='{folder}'", f"launch.as_of={AS_OF}"]))
    read = read_tables(job.data, job.launch, seed=job.seed)
    return measure(read.tables, as_of=AS_OF, half_life_days=HALF_LIFE_DAYS, window_days=WINDOW_DAYS)


def four(folder: Path) -> Any:
    """Read the orders into spend, orders, first and last order."""
    return whole(folder).select("customer_id", "spend", "orders", "first_order_at", "last_order_at")


def launch(folder: Path, as_of: date | str, *overrides: str) -> dict[str, int]:
    """Run the command as a user does, start-up included, and give its counts."""
    with tempfile.TemporaryDirectory() as place:
        given = ["data=files", f"data.orders.path={folder}", f"launch.as_of={as_of}", f"out={place}/out", *RULES]
        command = [sys.executable, "-m", "segmenter", "launch", *given, *overrides]
        ran = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
        if ran.returncode:
            raise RuntimeError(ran.stderr)
        counts: dict[str, int] = json.loads(Path(place, "out", "manifest.json").read_text(encoding="utf-8"))["counts"]
        return counts
