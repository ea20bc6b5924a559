"""Who may bring whom, and with what chance."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.errors import InputError
from segmenter.messages import Message

_SHOWN = 3


@dataclass(frozen=True)
class Graph:
    """People, sorted, and the edges into each of them, those of the highest chance first.

    Edges into person i stand at ``offsets[i]`` to ``offsets[i + 1]``: from ``sources``, with ``chances`` in (0, 1].
    """

    people: pl.Series
    offsets: NDArray[np.int64]
    sources: NDArray[np.int32]
    chances: NDArray[np.float64]


def make_graph(edges: pl.DataFrame, people: pl.Series | None = None) -> Graph:
    """Make a graph of edges.

    Parameters
    ----------
    edges : DataFrame
        ``from_id``, ``to_id`` (text) and ``chance`` (0 to 1) that the first, where they take part, bring the second. Who brings themselves
        is left out, and an edge that stands more than once has the chance that one of them does it.
    people : Series, optional
        More people, whom nobody may bring.

    Returns
    -------
    Graph
        Of everybody named; the same whatever the order of the edges.

    Raises
    ------
    InputError
        A chance is missing or not within 0 and 1.

    Examples
    --------
    >>> edges = pl.DataFrame({"from_id": ["a", "a"], "to_id": ["b", "c"], "chance": [0.5, 0.2]})
    >>> make_graph(edges).people.to_list()
    ['a', 'b', 'c']
    """
    wrong = edges.filter(~pl.col("chance").is_between(0, 1).fill_null(value=False))
    if wrong.height:
        examples = tuple(f"{first} → {second}: {chance}" for first, second, chance in wrong.sort(pl.all()).head(_SHOWN).iter_rows())
        sentence = "chances that one brings another should be within 0 and 1 ({count:,} are not: {examples})"
        raise InputError(Message("spread.chance", sentence, count=wrong.height, examples=examples))
    named = [edges["from_id"], edges["to_id"], *([] if people is None else [people])]
    everybody = pl.concat([ids.cast(pl.String).alias("person") for ids in named]).drop_nulls().unique().sort()
    number = pl.DataFrame({"person": everybody, "number": np.arange(len(everybody), dtype=np.int32)})
    known = (
        edges.lazy()
        .filter(pl.col("from_id") != pl.col("to_id"), pl.col("chance") > 0)
        .sort("from_id", "to_id", "chance")  # a product of floats differs by their order
        .group_by("from_id", "to_id", maintain_order=True)
        .agg(chance=1 - (1 - pl.col("chance")).product())
        .join(number.lazy().rename({"number": "source"}), left_on="from_id", right_on="person")
        .join(number.lazy().rename({"number": "target"}), left_on="to_id", right_on="person")
        .sort("target", "chance", "source", descending=[False, True, False])
        .collect()
    )
    offsets = np.zeros(len(everybody) + 1, dtype=np.int64)
    np.cumsum(np.bincount(known["target"].to_numpy(), minlength=len(everybody)), out=offsets[1:])
    return Graph(everybody, offsets, known["source"].to_numpy(), known["chance"].to_numpy())


def cascade_chances(edges: pl.DataFrame) -> pl.DataFrame:
    """Give edges the chances of the weighted cascade (Kempe, Kleinberg and Tardos 2003): each one's weight in parts of all into a person.

    `edges` has ``from_id``, ``to_id`` and may have ``weight`` (≥ 0; 1 without it); weights of an edge that stands more than once add up.

    >>> edges = pl.DataFrame({"from_id": ["a", "b", "b"], "to_id": ["c", "c", "c"]})
    >>> cascade_chances(edges).rows()
    [('a', 'c', 0.3333333333333333), ('b', 'c', 0.6666666666666666)]
    """
    weight = pl.col("weight") if "weight" in edges.columns else pl.lit(1)
    others = edges.lazy().filter(pl.col("from_id") != pl.col("to_id")).select("from_id", "to_id", weight=weight)
    summed = others.sort(pl.all()).group_by("from_id", "to_id", maintain_order=True).agg(pl.col("weight").sum())
    into = pl.col("weight").sum().over("to_id")
    return summed.filter(pl.col("weight") > 0).select("from_id", "to_id", chance=pl.col("weight") / into).collect()


def cap_friends(edges: pl.DataFrame, friends: float) -> pl.DataFrame:
    """Lower chances to what somebody can do who brings so many friends at most: p · min(1, friends / how many they may bring)."""
    share = (friends / pl.len().over("from_id")).clip(upper_bound=1)
    return edges.with_columns(chance=pl.col("chance") * share)
