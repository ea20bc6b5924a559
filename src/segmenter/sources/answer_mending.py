"""What of the answers is to be mended: the rows that come back as a workbook, and the workbook as agents filled it in."""

from collections.abc import Sequence

import polars as pl

from segmenter.contacts import hide
from segmenter.sources.answer_lists import AnswerList
from segmenter.sources.expressions import ROW
from segmenter.sources.reject_reasons import EARLY, LATE
from segmenter.vocabulary import vocabulary

FILE = "to_mend.xlsx"  # among a job's results
MENDED = pl.Schema(
    {
        "source": pl.String(),
        "row": pl.Int64(),
        "customer_id": pl.String(),  # null where nobody was recognised
        "name": pl.String(),
        "phone": pl.String(),
        "written": pl.String(),  # for the answer
        "why": pl.String(),
        "answer": pl.String(),  # what is known already, or was mended: as it was written
        "answered_on": pl.Date(),
        "brought_by": pl.String(),  # as it was written
        "mended": pl.Boolean(),  # already
    }
)
_ORIGINS = pl.Schema(
    {name: pl.Int64() if "row" in name else pl.String() for name in ("source", "row", "of_source", "of_row", "written", "why")}
)
_AT = ["source", "row"]


def column_of(sheet: AnswerList, what: str) -> str | None:
    """Find a column of the workbook in a list by its heads: ``file``, ``row`` or ``why``."""
    return next((name for name in vocabulary("people")["mending"][what] if name in sheet.frame.columns), None)


def is_mending(sheet: AnswerList) -> bool:
    """Tell whether a list is such a workbook."""
    return all(column_of(sheet, what) is not None for what in ("file", "row", "why"))


def origins_of(sheets: Sequence[AnswerList]) -> pl.DataFrame:
    """Say which rows those of such workbooks mend: ``source`` and ``row``, ``of_source`` and ``of_row``; and what they say of these."""
    parts = [_ORIGINS.to_frame()]
    for sheet in sheets:
        columns = {"of_source": "file", "of_row": "row", "written": "written", "why": "why"}
        heads = {name: column_of(sheet, what) for name, what in columns.items()}
        cells = {name: pl.lit(None) if head is None else pl.col(head) for name, head in heads.items()}
        parts.append(sheet.frame.select(source=pl.lit(hide(sheet.name)), row=ROW, **cells).cast(_ORIGINS, strict=False))
    return pl.concat(parts).drop_nulls(["of_source", "of_row"])


def at_origins(rows: pl.DataFrame, origins: pl.DataFrame) -> pl.DataFrame:
    """Name rows of such workbooks by those that they mend: where the workbook is written again, its own rows are others."""
    found = rows.join(origins.select(*_AT, "of_source", "of_row"), on=_AT, how="left", maintain_order="left")
    return found.with_columns(source=pl.coalesce("of_source", "source"), row=pl.coalesce("of_row", "row")).drop("of_source", "of_row")


def mended_rows(origins: pl.DataFrame, read: pl.DataFrame) -> pl.DataFrame:
    """Give which rows were mended, ``source`` and ``row``, by which ``customer_id``, ``answer`` as written and ``answered_on``."""
    understood = read.filter(pl.col("answer").is_not_null(), pl.col("customer_id").is_not_null(), pl.col("doubt").is_null())
    by = origins.join(understood, on=_AT)
    by = by.select("customer_id", "answered_on", source="of_source", row="of_row", answer="said", brought_by="bringer")
    return by.unique(_AT, keep="last", maintain_order=True)


def unmended(rows: pl.DataFrame, mended: pl.DataFrame, origins: pl.DataFrame, at: Sequence[str] = _AT) -> pl.DataFrame:
    """Leave out what was mended, and such a workbook's own rows where what they should mend is there; `at` names source and row."""
    left = rows.join(mended, left_on=at, right_on=_AT, how="anti")
    again = origins.join(left, left_on=["of_source", "of_row"], right_on=at, how="semi")
    return left.join(again, left_on=at, right_on=_AT, how="anti")


def list_to_mend(
    wrong: pl.DataFrame, left: pl.DataFrame, mended: pl.DataFrame, rows: pl.DataFrame, who: pl.DataFrame, origins: pl.DataFrame
) -> pl.DataFrame:
    """List what is to be mended, see `MENDED`: the rejects that are `left`, then those of all the `wrong` that are mended already.

    These stand there again, so that a workbook may take the place of that before it; and so does what nobody mended where the file that
    it was in is not read any more. `rows` are all that were read.
    """
    reasons = wrong.filter(~pl.col("reason").is_in([str(LATE), str(EARLY)])).select(source="file", row="row", why="reason")
    told = rows.join(who, on=_AT, how="left", maintain_order="left")
    understood = pl.when(pl.col("answer").is_not_null()).then("said")
    facts = told.select(*_AT, "name", "phone", "customer_id", "answered_on", written="said", answer=understood, brought_by="bringer")
    open_ = reasons.join(left, left_on=_AT, right_on=["file", "row"], how="semi").join(facts, on=_AT, how="left")
    done = reasons.join(mended, on=_AT).join(facts.select(*_AT, "name", "phone", "written"), on=_AT, how="left")
    idle = origins.filter(~pl.col("of_source").is_in(rows["source"].unique().implode()))
    idle = idle.join(facts.drop("written"), on=_AT).join(mended, left_on=["of_source", "of_row"], right_on=_AT, how="anti")
    idle = idle.with_columns(source="of_source", row="of_row").drop("of_source", "of_row")
    parts = [(at_origins(open_, origins), False), (idle, False), (done, True)]
    both = pl.concat([MENDED.to_frame(), *(part.with_columns(mended=pl.lit(value)) for part, value in parts)], how="diagonal")
    return both.sort("mended", *_AT, maintain_order=True).unique(_AT, keep="first", maintain_order=True)
