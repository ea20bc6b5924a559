"""Terms that no plan can keep to: what is short by how much, and the smallest change that would help."""

from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.errors import InputError
from segmenter.money import digits
from segmenter.planning.cells import KEYS, Cells, Kind, kinds_of, layers_of, sizes_between
from segmenter.planning.constraints import Terms, bounds
from segmenter.planning.program import callers, constrain, solved, unit_of
from segmenter.words import Lang, say

Ints = NDArray[np.int64]
# One person, place or call each; the budget in the mean cost of an invitation. Ties go to what is easiest to change.
PRICES = {"size_min": 1.0, "smallest": 1.05, "size_max": 1.1, "budget": 1.15, "agents": 1.2, "people": 1.25}
SCHEMA = pl.Schema(
    {
        "limit": pl.String(),
        "group": pl.String(),
        "region": pl.String(),
        "topic": pl.String(),
        "language": pl.String(),
        "layer": pl.String(),
        "amount": pl.Int64(),
    }
)


class InfeasibleError(InputError):
    """No plan keeps to the terms.

    Parameters
    ----------
    short : DataFrame
        ``limit`` (size_min, size_max, smallest, budget, agents, people), ``group`` (whose smallest size), ``region``, ``topic``,
        ``language``, ``layer`` (where calls and people are missing), ``amount`` (people, places, calls, or minor units): loosened all
        together by so much, the terms can be kept to.
    alone : DataFrame
        The same for one limit at a time, as far as one alone is enough: no smaller amount would do.
    problems : list of str
        The same in words.
    """

    def __init__(self, short: pl.DataFrame, alone: pl.DataFrame, problems: list[str]) -> None:
        super().__init__(*problems)
        self.short, self.alone = short, alone


def short(cells: Cells, terms: Terms, lang: Lang) -> InfeasibleError:
    """Find what is short.

    The program is solved again with every limit soft, at a price; then with one soft limit at a time.

    Parameters
    ----------
    cells : Cells
        The customers.
    terms : Terms
        What cannot be kept to.
    lang : {"en", "zh"}
        The language.

    Returns
    -------
    InfeasibleError
        To be raised.

    Examples
    --------
    >>> from segmenter.planning.cells import count
    >>> from segmenter.planning.constraints import GroupsBy
    >>> cells = count(pl.DataFrame({"region": "四川", "topic": None, "layer": "regular", "value": [5, 1, 3]}))
    >>> print(short(cells, Terms(GroupsBy(True, False, 1, 5, 1), size_min=4), "en"))
    plan: no plan keeps to the terms: 1 place under the smallest size of the launch
    plan: any one of these would do: ask for 1 person fewer (plan.size), or find 1 more eligible customer
    """
    wider = _with_missing(cells, terms, lang)
    together = _lacking(wider, terms, lang, tuple(PRICES))
    alone = [found for limit in PRICES if not (found := _lacking(wider, terms, lang, (limit,))).is_empty()]
    rows = pl.concat([pl.DataFrame(schema=SCHEMA), *alone])
    return InfeasibleError(together, rows, _words(together, rows, terms, lang))


def _with_missing(cells: Cells, terms: Terms, lang: Lang) -> Cells:
    """Add cells without people, where people could be missing."""
    rows, table = [], cells.table
    for kind in kinds_of(cells, terms, lang):
        there = table[kind.cells]
        region = kind.region if kind.region or there.is_empty() else there["region"][0]
        topic = kind.topic if kind.topic or there.is_empty() else there["topic"][0]
        rows += [(region, topic, None, layer, 0) for layer in layers_of(cells, terms) if layer not in there["layer"]]
    table = pl.concat([table, pl.DataFrame(rows, schema=table.schema, orient="row")]).unique(KEYS, keep="first", maintain_order=True)
    starts = np.concatenate([[0], np.cumsum(table["people"].to_numpy())]).astype(np.int64)
    return Cells(table, cells.order, starts, cells.totals)


def _lacking(cells: Cells, terms: Terms, lang: Lang, soft: tuple[str, ...]) -> pl.DataFrame:
    """Solve with soft limits; empty where even so nothing holds."""
    kinds = [replace(kind, most=kind.allowed) for kind in kinds_of(cells, terms, lang)]
    one = max(terms.size_min, min(kind.smallest for kind in kinds)) if terms.size_min and kinds else 0  # as many as a group takes
    spare = one + sum(kind.largest * kind.least for kind in kinds) if "people" in soft else 0
    softened = [_smaller(kind, terms, layers_of(cells, terms)) if "smallest" in soft else kind for kind in kinds]
    program, parts = constrain(cells, softened, terms, spare=spare)
    program.put(parts.taken, program.columns(cells.people), -1)
    unit = unit_of(terms)
    found: list[tuple[Ints, tuple[str | None, ...]]] = []

    def lack(limit: str, rows: Ints, factor: float, *where: str | None, price: float = 1.0, most: float = 1e9) -> None:
        column = program.columns(most, -PRICES[limit] * price)
        program.put(rows, column, factor)
        found.append((column, (limit, *where, *[None] * (5 - len(where)))))

    if "size_min" in soft and terms.size_min:
        lack("size_min", parts.total, 1, most=terms.size_min - 1)  # a launch of nobody is none
    if "size_max" in soft and terms.size_max is not None:
        lack("size_max", parts.total, -1)
    if "budget" in soft and terms.budget is not None and terms.costs:
        mean = max(sum(terms.costs.values()) / len(terms.costs), 1)
        lack("budget", parts.money, -1, price=unit / mean)
    if "agents" in soft and terms.agents:
        for row, (region, language) in zip(parts.calls, callers(cells, terms)[1], strict=True):
            lack("agents", row, -1, None, region, None, language)
    if "people" in soft:
        for row, (region, topic, language, layer, _) in zip(parts.taken, cells.table.select(*KEYS, "people").rows(), strict=True):
            lack("people", row, -1, None, region, topic, language, layer, most=spare)
    if "smallest" in soft:
        for at, kind in enumerate(kinds):
            if at in parts.smallest:
                lack("smallest", parts.smallest[at], 1, kind.name, most=kind.smallest - 1)
            else:
                row = program.rows(-np.inf, 0)
                program.put(row, parts.groups[at], np.maximum(kind.smallest - softened[at].sizes, 0))
                lack("smallest", row, -1, kind.name)
    columns = solved(program)
    if columns is None:
        return pl.DataFrame(schema=SCHEMA)
    amounts = [(*where, round(columns[column[0]])) for column, where in found]
    # What the budget has beyond whole units is there already.
    amounts = [(*row[:-1], row[-1] * unit - (terms.budget or 0) % unit) if row[0] == "budget" and row[-1] else row for row in amounts]
    return pl.DataFrame([row for row in amounts if row[-1]], schema=SCHEMA, orient="row")


def _smaller(kind: Kind, terms: Terms, layers: list[str]) -> Kind:
    """Let groups of any size below the smallest be."""
    sizes = np.union1d(sizes_between(1, kind.smallest), kind.sizes)
    low, high = bounds(terms.quotas, layers, sizes)
    fits = (low <= high).all(axis=1) & (low.sum(axis=1) <= sizes) & (sizes <= high.sum(axis=1))
    return replace(kind, sizes=sizes[fits], low=low[fits], high=high[fits])


def _words(together: pl.DataFrame, alone: pl.DataFrame, terms: Terms, lang: Lang) -> list[str]:
    parts = say(lang, ", ", "，").join(_short_words(together, terms, lang))
    lines = [say(lang, f"plan: no plan keeps to the terms: {parts}", f"plan：没有满足全部条件的方案：{parts}")]
    if not alone.is_empty():
        ways = say(lang, ", or ", "；或").join(_change_words(alone, terms, lang))
        lines.append(say(lang, f"plan: any one of these would do: {ways}", f"plan：以下任一调整即可：{ways}"))
    elif together["limit"].n_unique() > 1:
        lines.append(say(lang, "plan: no single change is enough: all of these are", "plan：单项调整都不够，需要同时放宽以上各项"))
    return lines


def _sums(rows: pl.DataFrame) -> list[tuple[str, str | None, int]]:
    """Add up by limit, and by layer for people."""
    sums = rows.group_by("limit", "layer", maintain_order=True).agg(pl.col("amount").sum())
    return [(limit, layer, amount) for limit, layer, amount in sums.rows()]


def _money(amount: int, terms: Terms) -> str:
    # Up, as a unit less would not do.
    return f"{-(-amount // 10 ** digits(terms.currency)):,} {terms.currency}"


def _short_words(rows: pl.DataFrame, terms: Terms, lang: Lang) -> list[str]:
    words = []
    for limit, layer, amount in _sums(rows):
        many, s = f"{amount:,}", "" if amount == 1 else "s"
        match limit:
            case "size_min":
                words.append(say(lang, f"{many} place{s} under the smallest size of the launch", f"总人数比下限少 {many} 人"))
            case "size_max":
                words.append(say(lang, f"{many} place{s} over the largest size of the launch", f"总人数比上限多 {many} 人"))
            case "smallest":
                words.append(say(lang, f"{many} place{s} under the smallest size of groups", f"群人数合计比下限少 {many} 人"))
            case "budget":
                words.append(say(lang, f"{_money(amount, terms)} over budget", f"超出预算 {_money(amount, terms)}"))
            case "agents":
                words.append(say(lang, f"{many} call{s} short ({_where(rows, lang)})", f"外呼名额少 {many} 个（{_where(rows, lang)}）"))
            case _:
                words.append(say(lang, f"{many} of layer {layer} short", f"“{layer}”层级少 {many} 人"))
    return words


def _change_words(rows: pl.DataFrame, terms: Terms, lang: Lang) -> list[str]:
    words = []
    for limit, amount in rows.group_by("limit", maintain_order=True).agg(pl.col("amount").sum()).rows():
        many, one = f"{amount:,}", amount == 1
        people, s = ("person", "") if one else ("people", "s")
        match limit:
            case "size_min":
                words.append(say(lang, f"ask for {many} {people} fewer (plan.size)", f"总人数下限降低 {many} 人（plan.size）"))
            case "size_max":
                words.append(say(lang, f"allow {many} {people} more (plan.size)", f"总人数上限提高 {many} 人（plan.size）"))
            case "smallest":
                words.append(
                    say(
                        lang,
                        f"allow groups to be smaller, by {many} in all (plan.smallest)",
                        f"放宽群人数下限，合计 {many} 人（plan.smallest）",
                    )
                )
            case "budget":
                words.append(
                    say(
                        lang, f"add {_money(amount, terms)} to the budget (plan.budget)", f"预算增加 {_money(amount, terms)}（plan.budget）"
                    )
                )
            case "agents":
                calling = _where(rows.filter(limit="agents"), lang)
                words.append(say(lang, f"add {many} call{s} ({calling}; plan.agents)", f"增加 {many} 个外呼名额（{calling}；plan.agents）"))
            case _:
                words.append(say(lang, f"find {many} more eligible customer{s}", f"再增加 {many} 位符合条件的客户"))
    return words


def _where(rows: pl.DataFrame, lang: Lang) -> str:
    calls = rows.filter(limit="agents").sort("amount", descending=True, maintain_order=True)
    names = [f"{region or say(lang, 'no region', '无地区')} {amount:,}" for region, amount in calls.select("region", "amount").rows()]
    return say(lang, ", ", "、").join([*names[:5], *(["…"] if len(names) > 5 else [])])
