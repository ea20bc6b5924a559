"""What customers buy and do, as a few topics: whose is which, how strongly, and what they are called.

Topics are clusters of customers by the square roots of their shares of categories (k-means; so taken, distances are Hellinger's). Measured
against non-negative matrix factorisation on planted topics (sixty categories, three in ten purchases of staples) it finds them with an
adjusted Rand index of 0.82 where the factors come to 0.50; on the demo shop both find them, and are as steady.
"""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.errors import InputError, nearest
from segmenter.hashing import draw
from segmenter.messages import Message
from segmenter.segments.fitted import Fitted
from segmenter.settings import TopicsSettings

Floats = NDArray[np.float64]
UNIT = 1_000_000  # shares and centers are counted in millionths: sums of whole numbers are the same in any order
MIN_CUSTOMERS = 50  # fewer are one topic
JUDGED = 2_000  # customers on whom the number of topics is chosen
RESAMPLES, STABLE = 6, 0.8  # bootstrap samples, and the mean adjusted Rand index that they have to reach
NAMED, TELLING = 2, 0.25  # categories in a name, and how distinctive the second has to be against the first
_SHOWN = 3  # categories of a profile
UNKNOWN = 0.1  # a larger share of what is bought in categories that topics made earlier do not know is said


@dataclass(frozen=True)
class Topics:
    """The topics of a launch.

    `customers` has ``customer_id``, ``topic`` and ``topic_share``: how much of what they buy and do is of the topic's own categories;
    sorted, without those of whom nothing is known. `profiles` has a row for each topic, the largest first: ``topic``, ``customers``,
    ``strength`` (their median share), and ``category_1``, ``share_1`` and so on, what they buy most of. `interests` are those of
    `count_interests`, `model` is plain and kept for the next launch, `near` names the other topics of each, the nearest first.
    """

    customers: pl.DataFrame
    profiles: pl.DataFrame
    interests: pl.DataFrame
    model: Mapping[str, Any]
    near: Mapping[str, tuple[str, ...]]
    why: Message
    warnings: tuple[Message, ...]


def count_interests(spending: pl.DataFrame | None, events: pl.DataFrame, kinds: Sequence[str], as_of: date) -> pl.DataFrame:
    """Count what customers bought and did before a date: ``customer_id``, ``category``, ``share`` (in millionths), sorted.

    Bought counts what was spent net of refunds, done the events of some kinds; who did both has half of each.
    """
    parts = []
    if spending is not None:
        bought = spending.lazy().filter(pl.col("time") < as_of, pl.col("category").is_not_null())
        parts.append(bought.group_by("customer_id", "category").agg(pl.col("amount").sum()))
    if kinds:
        did = events.lazy().filter(pl.col("time") < as_of, pl.col("kind").is_in(list(kinds)))
        parts.append(did.group_by("customer_id", pl.col("kind").alias("category")).agg(pl.len().cast(pl.Int64).alias("amount")))
    shares = [_shares(part.filter(pl.col("amount") > 0)) for part in parts]
    joined = pl.concat(shares).group_by("customer_id", "category").agg(pl.col("amount").sum())
    return _shares(joined).rename({"amount": "share"}).filter(pl.col("share") > 0).sort("customer_id", "category").collect()


def _shares(amounts: pl.LazyFrame) -> pl.LazyFrame:
    share = pl.col("amount") / pl.col("amount").sum().over("customer_id") * UNIT
    return amounts.select("customer_id", "category", share.round().cast(pl.Int64).alias("amount"))


def find_topics(
    interests: pl.DataFrame, settings: TopicsSettings, *, seed: int, kinds: Sequence[str] = (), fitted: Fitted | None = None
) -> Topics:
    """Find the topics of customers by their interests, or take those of an earlier launch.

    Nothing depends on the order of rows or the number of threads. `kinds` are those that the shop's events have.
    """
    warnings = [
        Message("segments.no_such_kind", "topics.events: nobody has done {kind}{hint}", kind=kind, hint=nearest(kind, kinds))
        for kind in settings.events
        if kind not in kinds
    ]
    kept, said = _keep(fitted, settings)
    warnings += said
    if fitted is not None and kept is not None:
        model: Mapping[str, Any] = kept
        why = Message("segments.topics_kept", "{k} topics, those of {launch}", k=len(kept["names"]), launch=fitted.launch or "")
        warnings += _unknown(interests, kept)
    else:
        model, why, left_out = _fit(interests, settings, seed)
        warnings += left_out
    customers = _assign(interests, model)
    profiles = _profiles(interests, customers)
    return Topics(customers.select("customer_id", "topic", "topic_share"), profiles, interests, model, _near(model), why, tuple(warnings))


def _keep(fitted: Fitted | None, settings: TopicsSettings) -> tuple[Mapping[str, Any] | None, list[Message]]:
    """Give the topics of an earlier launch, where they are what is asked for; an InputError where they cannot be read."""
    if fitted is None or not fitted.topics or not fitted.topics.get("names"):
        return None, []
    kept, launch = fitted.topics, fitted.launch or ""
    match kept:
        case {"names": list(names), "own": list(own), "centers": dict(centers), "events": list(events)}:
            numbers = [value for values in centers.values() for value in (values if len(values) == len(names) else [None])]
            if len(own) == len(names) == len(set(names)) and all(isinstance(number, int) for number in numbers):
                if events == list(settings.events) and settings.k in ("auto", len(names)):
                    return kept, []
                sentence = "topics: are made new, as topics.k or topics.events is not what it was in {launch}"
                return None, [Message("segments.topics_new", sentence, launch=launch)]
    sentence = (
        "topics of {launch}: are not as `segmenter launch` wrote them; name another launch's, or make them new with segments.from=new"
    )
    raise InputError(Message("segments.topics_damaged", sentence, launch=launch))


def _unknown(interests: pl.DataFrame, model: Mapping[str, Any]) -> list[Message]:
    new = interests.filter(~pl.col("category").is_in(list(model["centers"])))
    share = int(new["share"].sum()) / max(int(interests["share"].sum()), 1)
    if share <= UNKNOWN:
        return []
    sentence = (
        "topics: {share:.0%} of what customers buy is in categories that the topics were not made of, such as {names}; make them new with "
        "segments.from=new"
    )
    most = new.group_by("category").len().sort("len", "category", descending=[True, False])["category"].head(3)
    return [Message("segments.topics_unknown", sentence, share=share, names=tuple(most))]


def _fit(interests: pl.DataFrame, settings: TopicsSettings, seed: int) -> tuple[dict[str, Any], Message, list[Message]]:
    counted = interests.group_by("category").len().sort("len", "category", descending=[True, False])
    categories = counted["category"].head(settings.categories).sort()
    left_out = []
    if more := counted.height - len(categories):
        sentence = "topics: {more:,} categories that fewest buy are left out, beyond the {most:,} of topics.categories"
        left_out.append(Message("segments.topics_categories", sentence, more=more, most=len(categories)))
    known = interests.filter(pl.col("category").is_in(categories.implode()))
    ids = known["customer_id"].unique().sort()
    if not len(ids):
        sentence = "topics: nobody has bought anything of a category that is known; topic is empty for all"
        return (
            {"names": [], "own": [], "centers": {}, "events": list(settings.events)},
            Message("segments.no_topics", sentence),
            [Message("segments.no_topics", sentence)],
        )
    drawn = ids.gather(draw(ids, seed, "topics", settings.sample))
    points = _points(known, drawn, categories)
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        k, why = _choose(points, settings, seed % 2**32)
        centers, _ = _cluster(points, k, seed % 2**32, starts=10)
    model: dict[str, Any] = {"names": [str(topic) for topic in range(k)], "own": [[]] * k}
    model["centers"] = {
        name: [round(value * UNIT) for value in column] for name, column in zip(categories, centers.T.tolist(), strict=True)
    }
    return {**_named(known, model), "events": list(settings.events)}, why, left_out


def _points(interests: pl.DataFrame, ids: pl.Series, categories: pl.Series) -> Floats:
    rows = pl.DataFrame({"customer_id": ids}).with_row_index("row")
    cells = interests.join(rows, on="customer_id").join(pl.DataFrame({"category": categories}).with_row_index("column"), on="category")
    points = np.zeros((len(ids), len(categories)))
    points[cells["row"].to_numpy(), cells["column"].to_numpy()] = cells["share"].to_numpy()
    found: Floats = np.sqrt(points / points.sum(axis=1, keepdims=True))
    return found


def _cluster(points: Floats, k: int, random_state: int, starts: int) -> tuple[Floats, NDArray[np.int64]]:
    from sklearn.cluster import KMeans

    found = KMeans(k, n_init=starts, max_iter=100, random_state=random_state).fit(points)
    return found.cluster_centers_, found.labels_.astype(np.int64)


def _choose(points: Floats, settings: TopicsSettings, random_state: int) -> tuple[int, Message]:
    """Choose the number of topics: of those that come out again in other samples, what sets customers apart best."""
    distinct = len(np.unique(points, axis=0))
    if isinstance(settings.k, int):
        k = min(settings.k, distinct)
        return k, Message("segments.topics_set", "{k} topics, as set", k=k)
    if len(points) < MIN_CUSTOMERS or distinct < 2 or points.shape[1] < 2:
        return 1, Message("segments.topics_few", "1 topic: too few customers or categories to tell topics apart")
    from sklearn.metrics import adjusted_rand_score, pairwise_distances, silhouette_score

    judged = points[:JUDGED]
    apart = pairwise_distances(judged)
    random = np.random.RandomState(random_state)  # its stream is frozen (NEP 19)
    samples = [random.randint(len(judged), size=len(judged)) for _ in range(RESAMPLES)]

    def judge(k: int) -> tuple[float, float, float]:
        _, labels = _cluster(judged, k, random_state, starts=5)
        agreement = []
        for rows in samples:
            others, _ = _cluster(judged[rows], k, random_state, starts=3)
            agreement.append(adjusted_rand_score(labels, (judged @ others.T - (others**2).sum(axis=1) / 2).argmax(axis=1)))
        share = np.bincount(labels, minlength=k).min() / len(labels)
        return float(silhouette_score(apart, labels, metric="precomputed")), float(np.mean(agreement)), float(share)

    numbers = range(2, min(settings.k_max, distinct - 1, points.shape[1]) + 1)
    from threadpoolctl import threadpool_limits

    with ThreadPoolExecutor(os.cpu_count(), initializer=threadpool_limits, initargs=(1,)) as cores:
        found = dict(zip(numbers, cores.map(judge, numbers), strict=True))
    steady = {k: trial for k, trial in found.items() if trial[1] >= STABLE and trial[2] >= settings.min_share}
    if not steady:
        sentence = "1 topic: any more would come out otherwise in another sample, or be too small (topics.min_share)"
        return 1, Message("segments.topics_one", sentence)
    k = max(steady, key=lambda number: (steady[number][0], -number))
    silhouette, stability, _ = found[k]
    sentence = "{k} topics: silhouette {silhouette:.2f}, stability {stability:.2f}, the clearest of {tried} that were tried"
    return k, Message("segments.topics_auto", sentence, k=k, silhouette=silhouette, stability=stability, tried=len(found))


def _named(interests: pl.DataFrame, model: Mapping[str, Any]) -> dict[str, Any]:
    """Call topics by the categories in which they stand out most, the topic with most customers first; no two are called the same."""
    found = _assign(interests, model)
    sizes = found.group_by("topic").len().sort("len", "topic", descending=[True, False])
    order = [int(topic) for topic in sizes["topic"]]  # a cluster that nobody is in any more is given up
    shares = interests.join(found, on="customer_id").group_by("topic", "category").agg(pl.col("share").sum())
    mean = {(int(topic), category): share for topic, category, share in shares.rows()}
    of_all = dict(interests.group_by("category").agg(pl.col("share").sum()).rows())
    many: dict[int, int] = {int(topic): size for topic, size in sizes.rows()}

    def share_of(topic: int, category: str) -> float:
        share: int = mean.get((topic, category), 0)
        return share / (many[topic] * UNIT)

    own: dict[int, list[str]] = {topic: [] for topic in order}
    for category in sorted(model["centers"]):
        own[max(order, key=lambda topic: share_of(topic, category))].append(category)
    gain = {
        (topic, category): share_of(topic, category) - (of_all.get(category, 0) / found.height / UNIT if len(order) > 1 else 0)
        for topic in order
        for category in model["centers"]
    }
    names: list[str] = []
    for topic in order:
        best = sorted(own[topic] or model["centers"], key=lambda category: (-gain[topic, category], category))
        own[topic] = own[topic] or best[:1]
        least = TELLING * gain[topic, best[0]]
        name = " · ".join(sorted([best[0], *(each for each in best[1:NAMED] if gain[topic, each] >= least > 0)]))
        number = 2
        while name in names:
            name, number = f"{' · '.join(sorted(best[:NAMED]))} {number}", number + 1
        names.append(name)
    centers = {category: [values[topic] for topic in order] for category, values in model["centers"].items()}
    return {"names": names, "own": [own[topic] for topic in order], "centers": centers}


def _assign(interests: pl.DataFrame, model: Mapping[str, Any]) -> pl.DataFrame:
    """Give each customer the nearest topic: whole numbers only, so that no sum depends on its order."""
    names, centers = model["names"], model["centers"]
    schema = {"customer_id": pl.String, "topic": pl.String, "topic_share": pl.Float64}
    if not names:
        return pl.DataFrame(schema=schema)
    topics = range(len(names))
    table = pl.DataFrame(
        {
            "category": list(centers),
            **{f"center_{topic}": [values[topic] for values in centers.values()] for topic in topics},
            **{f"own_{topic}": [category in set(model["own"][topic]) for category in centers] for topic in topics},
        }
    )
    square = [sum(values[topic] ** 2 for values in centers.values()) for topic in topics]
    root = ((pl.col("share") / pl.col("share").sum().over("customer_id")).sqrt() * UNIT).round().cast(pl.Int64)
    of_all = pl.col("share").sum().over("customer_id").alias("of_all")  # what topics do not know included
    return (
        interests.lazy()
        .with_columns(of_all)
        .join(table.lazy(), on="category")
        .with_columns(root=root)
        .group_by("customer_id")
        .agg(
            pl.col("of_all").first(),
            *((2 * pl.col("root") * pl.col(f"center_{topic}")).sum().sub(square[topic]).alias(f"fit_{topic}") for topic in topics),
            *(pl.col("share").filter(pl.col(f"own_{topic}")).sum().alias(f"of_{topic}") for topic in topics),
        )
        .with_columns(at=pl.concat_list(f"fit_{topic}" for topic in topics).list.arg_max())  # the first of equals
        .select(
            "customer_id",
            pl.col("at").replace_strict(list(topics), names, return_dtype=pl.String).alias("topic"),
            (pl.concat_list(f"of_{topic}" for topic in topics).list.get(pl.col("at")) / pl.col("of_all")).round(6).alias("topic_share"),
        )
        .sort("customer_id")
        .collect()
    )


def _near(model: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    names, columns = model["names"], list(model["centers"].values())

    def nearest_of(topic: int) -> tuple[str, ...]:
        apart = {
            names[other]: sum((values[topic] - values[other]) ** 2 for values in columns) for other in range(len(names)) if other != topic
        }
        return tuple(sorted(apart, key=lambda name: (apart[name], name)))

    return {name: nearest_of(topic) for topic, name in enumerate(names)}


def _profiles(interests: pl.DataFrame, customers: pl.DataFrame) -> pl.DataFrame:
    sizes = customers.group_by("topic").agg(pl.len().cast(pl.Int64).alias("customers"), pl.col("topic_share").median().alias("strength"))
    shares = interests.join(customers, on="customer_id").group_by("topic", "category").agg(pl.col("share").sum())
    best = shares.sort("topic", "share", "category", descending=[False, True, False]).group_by("topic", maintain_order=True).head(_SHOWN)
    wide = best.group_by("topic", maintain_order=True).agg("category", "share")
    profiles = sizes.join(wide, on="topic", how="left")
    shown = [
        column
        for place in range(_SHOWN)
        for column in (
            pl.col("category").list.get(place, null_on_oob=True).alias(f"category_{place + 1}"),
            (pl.col("share").list.get(place, null_on_oob=True) / pl.col("customers") / UNIT).round(6).alias(f"share_{place + 1}"),
        )
    ]
    return profiles.select("topic", "customers", "strength", *shown).sort("customers", "topic", descending=[True, False])
