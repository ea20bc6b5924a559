"""What a review asks of the ledger: which launch, and what its customers answered."""

from dataclasses import replace
from pathlib import Path

import polars as pl

from segmenter.contacts import Contacts, is_contact_name
from segmenter.errors import InputError, LedgerError, nearest
from segmenter.evaluation.review import Launched
from segmenter.ledger.connection import Ledger
from segmenter.ledger.queries import answers, launches, people
from segmenter.ledger.records import record_answers
from segmenter.ledger.schema import PLANNED
from segmenter.loader import Inputs
from segmenter.settings import ReviewJob
from segmenter.sources.answers import Answers, NoAnswersError, read_answers
from segmenter.tables import REJECTS
from segmenter.words import Lang, say

_ENOUGH = 5  # answers, to tell of what launch a file is
STRANGER = "is neither in the plan nor a customer of the shop"


def find_launch(ledger: Ledger, name: str) -> Launched:
    """Find a launch by its name.

    Parameters
    ----------
    ledger : Ledger
        See `open_ledger`.
    name : str
        Of the launch.

    Returns
    -------
    Launched
        What a review needs to know of it.

    Raises
    ------
    LedgerError
        There is none of that name; it names the nearest.

    Examples
    --------
    >>> from pathlib import Path
    >>> from segmenter.ledger import open_ledger
    >>> find_launch(open_ledger(None, Path("nowhere/results")), "spring")
    Traceback (most recent call last):
    segmenter.errors.LedgerError: ...
    """
    known = launches(ledger).filter(state=PLANNED)
    if known.is_empty():
        raise LedgerError(
            f"ledger: should hold the launch that is reviewed (got none in {ledger.shown}); "
            "plan one with `segmenter launch`, or name the ledger with ledger.url=sqlite:///FILE"
        )
    found = known.filter(launch=name)
    if found.is_empty():
        raise LedgerError(f'launch.name: should be a launch in {ledger.shown} (got "{name}"){nearest(name, known["launch"])}')
    row = found.row(0, named=True)
    return Launched(name, row["as_of"], row["ends_on"], row["target"], row["currency"], row["holdout"])


def read_told(ledger: Ledger, launched: Launched, settings: ReviewJob) -> Answers:
    """Read the answers that ``review.answers`` names.

    Where nobody has filled in a call sheet yet the sales can be reviewed all the same; and where the sheets are gone, but were read
    before, the ledger has what was in them.

    Parameters
    ----------
    ledger : Ledger
        See `open_ledger`.
    launched : Launched
        The launch.
    settings : ReviewJob
        With ``review.as_of``.

    Returns
    -------
    Answers
        With a warning where there are none.

    Raises
    ------
    InputError
        As `read_answers`.
    """
    until, places = settings.review.as_of, settings.review.answers
    assert until is not None  # the job gives it
    planned = people(ledger, launched.name, before=until).filter(pl.col("planned_at").is_not_null()).select("customer_id", "planned_at")
    try:
        return read_answers(
            places, before=until, timezone=settings.launch.timezone, lang=settings.lang, since=launched.as_of, planned=planned
        )
    except InputError as error:
        known = answers(ledger, launched.name, before=until).height
        gone = not any(Path(place).exists() for place in places) and known > 0
        if not isinstance(error, NoAnswersError) and not gone:
            raise
        where = "、".join(places)
        zh = f"没有读到新的答复（review.answers: {where}）：请放入客服填好的外呼名单；若只看销售额，可设 review.answers=[]"
        found = [say(settings.lang, "; ".join(error.problems), zh)]
        if known:
            en = f"answers that were read before count all the same: {known:,}"
            found.append(say(settings.lang, en, f"此前读取的 {known:,} 条答复仍然计入"))
        return replace(read_answers([], before=until, timezone="UTC", lang=settings.lang), warnings=tuple(found))


def take_answers(ledger: Ledger, launch: str, told: Answers, read: Inputs, *, lang: Lang) -> Inputs:
    """Record answers, but not those of strangers: an id that neither the plan nor the shop knows is a slip of the pen.

    Parameters
    ----------
    ledger : Ledger
        See `open_ledger`.
    launch : str
        Its name.
    told : Answers
        What was answered.
    read : Inputs
        The shop's tables: its customers may join without having been invited.
    lang : {"en", "zh"}
        Of the warnings.

    Returns
    -------
    Inputs
        The same, with the answers' counts, fingerprints, rejects and warnings.

    Raises
    ------
    LedgerError
        As `record_answers`.

    Examples
    --------
    >>> import segmenter, tempfile
    >>> from datetime import date
    >>> from pathlib import Path
    >>> from segmenter.ledger import Launch, open_ledger, record_plan
    >>> planned = {"customer_id": ["a"], "status": "planned", "wave": 1, "group": "g", "agent": None, "score": 9.5, "stratum": "s"}
    >>> said = pl.DataFrame({"customer_id": ["a", "b", "A1"], "answer": "joined", "answered_on": date(2026, 7, 2), "source": "s.csv"})
    >>> said = said.with_columns(reason=pl.lit(None, pl.String), row=pl.int_range(1, 4), written="customer_id")
    >>> told = Answers(said, pl.DataFrame(schema=REJECTS), (), 3, 0, 0, ())
    >>> settings = segmenter.launch_settings({"launch.as_of": "2026-07-31"})
    >>> orders = pl.DataFrame({"customer_id": ["a", "b"], "time": "2026-06-30", "amount": 1.0})
    >>> read = Inputs(segmenter.canonical_tables({"orders": orders}, settings.data, settings.launch), {})
    >>> with tempfile.TemporaryDirectory() as place:
    ...     ledger = open_ledger(None, Path(place, "results"))
    ...     record_plan(ledger, Launch("spring", "tea", date(2026, 7, 1), 30, None, "CNY", "e3b0"), pl.DataFrame(planned))
    ...     read = take_answers(ledger, "spring", told, read, lang="en")
    ...     people(ledger).select("customer_id", "status", "answer").rows()
    [('a', 'planned', 'joined'), ('b', None, 'joined')]
    >>> read.tables.rejects.select("row", "value", "reason").rows()
    [(3, 'A1', 'is neither in the plan nor a customer of the shop')]
    """
    shop = [frame["customer_id"] for frame in (read.tables.orders.single(), read.tables.customers) if frame is not None]
    heard = people(ledger, launch)
    planned = heard.filter(pl.col("status").is_not_null())["customer_id"]
    known = pl.concat([heard["customer_id"], *shop]).unique()
    # An id that was recognised may be, as written, that of another customer of the shop.
    as_written = pl.col("written").is_in(known.implode())
    given = told.answers.with_columns(pl.when(as_written).then("written").otherwise("customer_id").alias("customer_id"))
    stranger = ~pl.col("customer_id").is_in(known.implode())
    strange, good = given.filter(stranger), given.filter(~stranger)
    if not good.is_empty():
        record_answers(ledger, launch, good)
    rejects = pl.concat([told.rejects, strange.select(_REJECT).cast(dict(REJECTS))])  # type: ignore[arg-type]  # a schema is a mapping
    shop_has = [] if read.tables.contacts is None else [each for each in read.tables.contacts if is_contact_name(each.name)]
    rejects = Contacts(known=[*told.contacts.known, *shop_has]).without(rejects)
    counts = {"rows": told.rows, "open": told.open, "rejected": rejects.height, "kept": good.height}
    warnings = [*read.warnings, *read.notes, *told.warnings]
    if strange.height:
        en = f"answers of ids that neither the plan nor the shop knows: {strange.height:,}, see the rejects"
        warnings.append(say(lang, en, f"{strange.height:,} 条答复的客户编号既不在名单中，也不在店铺数据中，见拒收记录"))
    if foreign := _of_others(good, planned):
        en = f"most of whom these files name were not invited: {', '.join(foreign)}; are they of another launch?"
        warnings.append(say(lang, en, f"以下文件中的客户大多不在本次邀请名单中：{'、'.join(foreign)}，是否为其他活动的名单？"))
    if lost := read.tables.rejects.filter(table="orders").height:
        en = f"rows of orders that could not be read: {lost:,}, see the rejects; sales may be too low"
        warnings.append(say(lang, en, f"{lost:,} 行订单无法读取，见拒收记录，销售额可能因此偏低"))
    tables = replace(read.tables, rejects=pl.concat([read.tables.rejects, rejects]), reads={**read.tables.reads, "answers": counts})
    return replace(read, tables=tables, fingerprints={**read.fingerprints, "answers": told.files}, warnings=tuple(warnings))


def _of_others(given: pl.DataFrame, planned: pl.Series) -> list[str]:
    """Name files that are mostly about customers whom no plan of the launch had."""
    here = pl.col("customer_id").is_in(planned.implode())
    shares = given.group_by("source").agg(here.mean().alias("share"), pl.len().alias("rows"))
    return sorted(shares.filter(pl.col("share") < 0.5, pl.col("rows") >= _ENOUGH)["source"])


_REJECT = (
    pl.lit("answers").alias("table"),
    pl.col("source").alias("file"),
    pl.col("row"),
    pl.lit("customer_id").alias("column"),
    pl.col("written").alias("value"),
    pl.lit(STRANGER).alias("reason"),
)
