"""What segmenter does for the same figures, each by the way that a launch takes."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
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
    """Read the orders into the default set, as `segmenter launch` does."""
    return _aggregated(folder, ("province", "city"))


def four(folder: Path) -> Any:
    """Read the orders into spend, orders, first and last order: the places are not decoded, the rest costs nothing to leave out."""
    return _aggregated(folder, ()).select("customer_id", "spend", "orders", "first_order_at", "last_order_at")


def _aggregated(folder: Path, places: Sequence[str]) -> Any:
    from hydra import compose, initialize_config_dir

    from segmenter.contacts import Contacts
    from segmenter.home import HOME
    from segmenter.measures import shop_orders
    from segmenter.settings import LaunchJob, parse
    from segmenter.sources import stream_aggregation
    from segmenter.sources.parquet_stream import stream_of
    from segmenter.tables import Terms

    with initialize_config_dir(str(HOME / "conf"), version_base="1.3"):
        job = parse(LaunchJob, compose("launch", ["data=files", f"data.orders.path='{folder}'", f"launch.as_of={AS_OF}"]))
    shop_orders.KERNEL_ROWS = 0
    stream_aggregation.sha256 = lambda place: ""  # the queries take no fingerprints of the files either
    files = sorted(folder.glob("*.parquet"))
    stream = stream_of(files, [file.name for file in files], job.data, job.launch)
    assert stream is not None
    fields = {"customer_id", "time", "amount", *places}
    typed = {name: field for name, field in stream.typed.items() if name in fields}
    stream = replace(stream, typed=typed, columns=[name for name in stream.columns if name in fields])
    terms = Terms(AS_OF, HALF_LIFE_DAYS, WINDOW_DAYS if places else None)
    reading = stream_aggregation.aggregate_stream(stream, terms, None, lambda *done: None, None, Contacts())
    return reading.orders.summary(terms).frame


def read_csv(path: Path, *overrides: str) -> dict[str, int]:
    """Read and check orders in a CSV, and say what became of its rows."""
    from hydra import compose, initialize_config_dir

    from segmenter.evaluation.as_of import terms_of
    from segmenter.home import HOME
    from segmenter.loader import read_tables
    from segmenter.settings import LaunchJob, parse

    with initialize_config_dir(str(HOME / "conf"), version_base="1.3"):
        job = parse(LaunchJob, compose("launch", ["data=files", f"data.orders.path='{path}'", f"launch.as_of={AS_OF}", *overrides]))
    return dict(read_tables(job.data, job.launch, seed=job.seed, terms=terms_of(job)).tables.reads["orders"])


def launch(folder: Path, as_of: date | str, *overrides: str) -> dict[str, int]:
    """Run the command as a user does, start-up included, and give its counts."""
    counts: dict[str, int] = _manifest("launch", folder, as_of, *overrides)["counts"]
    return counts


def backtest(folder: Path, as_of: date | str, *overrides: str) -> list[str]:
    """Run the command as a user does, start-up included, and give its cuts."""
    cuts: list[str] = _manifest("backtest", folder, as_of, "tracking=none", *overrides)["cuts"]
    return cuts


def _manifest(job: str, folder: Path, as_of: date | str, *overrides: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as place:
        given = ["data=files", f"data.orders.path={folder}", f"launch.as_of={as_of}", f"out={place}/out", *RULES]
        ran = subprocess.run(
            [sys.executable, "-m", "segmenter", job, *given, *overrides], cwd=place, capture_output=True, text=True, check=False
        )
        if ran.returncode:
            raise RuntimeError(ran.stderr)
        manifest: dict[str, Any] = json.loads(Path(place, "out", "manifest.json").read_text(encoding="utf-8"))
        return manifest
