"""What topics are made of: clusters of customers by their shares of categories, and the categories that the clusters are called by.

The clusters are of the square roots of the shares (k-means; so taken, distances are Hellinger's). Measured against non-negative matrix
factorisation on planted topics (sixty categories, three in ten purchases of staples) they find them with an adjusted Rand index of 0.82
where the factors come to 0.50; on the demo shop both find them, and are as steady.
"""

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.hashing import draw
from segmenter.messages import Message
from segmenter.settings import TopicsSettings

Floats = NDArray[np.float64]
UNIT = 1_000_000  # shares and centers are counted in millionths: sums of whole numbers are the same in any order
MIN_CUSTOMERS = 50  # fewer are one topic
JUDGED = 2_000  # customers on whom the number of topics is chosen
RESAMPLES, STABLE = 6, 0.8  # bootstrap samples, and the mean adjusted Rand index that they have to reach
NAMED, TELLING = 2, 0.25  # categories in a name, and how distinctive the second has to be against the first


def fit_topics(interests: pl.DataFrame, settings: TopicsSettings, seed: int) -> tuple[dict[str, Any], Message, list[Message]]:
    """Make topics of what customers buy: plain values, why there are so many, and what a person should know.

    The values are the `names`, the categories that each topic has for its `own`, the `centers` of each category, and the kinds of `events`.
    """
    from threadpoolctl import threadpool_limits

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
        none = Message("segments.no_topics", sentence)
        return {"names": [], "own": [], "centers": {}, "events": list(settings.events)}, none, [none]
    drawn = ids.gather(draw(ids, seed, "topics", settings.sample))
    known = known.join(pl.DataFrame({"customer_id": drawn}), on="customer_id", how="semi")
    points = _points(known, drawn, categories)
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
    return np.asarray(np.sqrt(points / points.sum(axis=1, keepdims=True)))


def _cluster(points: Floats, k: int, random_state: int, starts: int) -> tuple[Floats, NDArray[np.int64]]:
    from segmenter.estimators import KMeans

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
    from threadpoolctl import threadpool_limits

    from segmenter.estimators import adjusted_rand_score, pairwise_distances, silhouette_score

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
    found = assign_topics(interests, model)
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


def assign_topics(interests: pl.DataFrame, model: Mapping[str, Any]) -> pl.DataFrame:
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


def near_topics(model: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Name the other topics of each, the nearest first."""
    names, columns = model["names"], list(model["centers"].values())

    def nearest_of(topic: int) -> tuple[str, ...]:
        apart = {
            names[other]: sum((values[topic] - values[other]) ** 2 for values in columns) for other in range(len(names)) if other != topic
        }
        return tuple(sorted(apart, key=lambda name: (apart[name], name)))

    return {name: nearest_of(topic) for topic, name in enumerate(names)}
