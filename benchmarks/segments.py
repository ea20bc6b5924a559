"""How many segments, how lasting, and what do they say? `python -m benchmarks.segments --data=../shared/data [SHOP ...]`

At each past date the segments are made of what was known then, by what customers had done after still earlier dates. Then it is looked up
how much of the variance in the ranks of what they spent next the segments explain, beside the eleven of RFM and two clusters of measures
that all count alike; and on customers and bootstrap samples that the number was not chosen on, how stable that number is.
"""

import argparse
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from sklearn.metrics import adjusted_rand_score

import segmenter
from benchmarks.choice import _canonical, shops
from segmenter.demo.shop import simulate
from segmenter.evaluation import past_behaviour
from segmenter.measures.past import past_of
from segmenter.segments import WEIGHTS, features, segment, segment_count
from segmenter.segments.clusters import Segmenter
from segmenter.segments.rfm_segments import RfmGrid

AS_OF, HORIZON = date(2026, 7, 1), 30


def explained(model: Segmenter | RfmGrid, past: list[pl.DataFrame], frame: pl.DataFrame) -> float:
    """Give the share of the variance in the ranks of later spend that the segments' means at earlier dates explain at this one."""
    parts = []
    for seen in (*past, frame):
        ranks = seen["later_spend"].rank().to_numpy() / len(seen)
        parts.append((model.predict(features(seen)), ranks - ranks.mean()))
    labels, ranks = (np.concatenate([part[column] for part in parts[:-1]]) for column in (0, 1))
    means = np.bincount(labels, ranks, 20) / np.maximum(np.bincount(labels, minlength=20), 1)
    labels, ranks = parts[-1]
    return float(1 - ((ranks - means[labels]) ** 2).sum() / (ranks**2).sum())


def main(folder: Path, names: list[str], dates: int) -> None:
    """Print the table."""
    print("| shop, date | customers | k | explained | of eleven RFM | of two | stability chosen by | on others | agreement | why |")
    print("|" + "---|" * 10)
    every = {"demo": (lambda: _canonical(simulate(20_000, 730, AS_OF, 20260101).tables()), AS_OF)}
    every |= {name.split(",")[0]: (make, end) for name, (make, end, horizon) in shops(folder).items() if horizon == HORIZON}
    past_behaviour._DATES = dates + 4
    for name in names or ("demo", "online_retail", "taobao", "cdnow"):
        make, end = every[name]
        settings = segmenter.launch_settings({"launch.as_of": str(end), "scoring": "learned"})
        past = past_of(make(), end, settings.scoring.half_life_days, None, HORIZON)
        found = past_behaviour.past_behaviour(past, settings)
        for cut in [*found][:dates]:
            frame = found[cut].with_columns(score=pl.lit(0.0))
            behaviour = {other: seen for other, seen in [*found.items()] if cut - timedelta(days=4 * HORIZON) <= other < cut}
            made = segment(frame, settings.segments, seed=1, currency="CNY", behaviour=behaviour)
            measures, k = features(frame), made.model.n_clusters
            models = (made.model, RfmGrid.fit(measures), Segmenter(2, first_label=1, random_state=0).fit(measures))
            figure, grid, two = (explained(model, [*behaviour.values()], frame) for model in models)
            ones = np.random.default_rng(1).permutation(len(measures))
            halves = [
                segment(frame[np.sort(ones[half::2])], settings.segments, seed=2, currency="CNY", behaviour=behaviour) for half in (0, 1)
            ]
            few, others = halves[0].model.n_clusters, measures[ones[1::2]]
            again = segment_count._try(
                Segmenter(few, first_label=1, random_state=3, weights=WEIGHTS), others, halves[0].model.scaled(others),
                np.zeros((len(others[:2000]),) * 2), 16, ()
            )  # fmt: skip
            agreement = adjusted_rand_score(again.model.labels_, halves[0].model.predict(others))
            chosen = made.trials.filter("chosen")["stability"].sum()
            print(
                f"| {name}, {cut} | {len(frame)} | {k}, {few} | {figure:.4f} | {figure / grid:.2f} |"
                f" {figure / two:.2f} | {chosen:.2f} | {again.stability:.2f} | {agreement:.2f} | {made.why} |",
                flush=True,
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--dates", type=int, default=4)
    parser.add_argument("shop", nargs="*")
    given = parser.parse_args()
    main(given.data, given.shop, given.dates)
