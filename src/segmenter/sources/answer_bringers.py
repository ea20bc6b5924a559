"""Whose id it is that a list names as who brought somebody: by id, phone or name, in a column of its own or within how they came."""

import polars as pl

from segmenter.checks.id_forms import recognize_ids
from segmenter.contacts import hide, shape
from segmenter.sources import fields
from segmenter.sources.answer_lists import AnswerList, group_of
from segmenter.sources.answer_people import COLLEAGUE, People, Whose, fold_name, name_readings, recognize_rows
from segmenter.sources.answer_words import bringer_in
from segmenter.sources.expressions import ROW
from segmenter.sources.phones import country_of, read_phones
from segmenter.sources.reject_reasons import BRINGER_NOBODY, BRINGER_SELF, BRINGER_SEVERAL, NOBODY, SEVERAL
from segmenter.tables import REJECTS

# `bringer` is as it is written; `doubt` says why it cannot be told who that is; `here` is the group that the row or the list names.
BRINGERS = pl.Schema(
    {"source": pl.String(), "row": pl.Int64()} | dict.fromkeys(("bringer", "brought_by", "doubt", "bringer_column", "here"), pl.String())
)
# People whom nobody knows and a member brought, under ids made for the job.
NEWCOMERS = pl.Schema({"customer_id": pl.String(), "brought_by": pl.String(), "answered_on": pl.Date(), "group": pl.String()})
_DOUBTS = {str(SEVERAL): str(BRINGER_SEVERAL), str(NOBODY): str(BRINGER_NOBODY)}


def read_bringers(sheet: AnswerList, people: People) -> pl.DataFrame:
    """Recognise who brought whom in a list; an id says more than a phone, and that more than a name.

    Colleagues bring nobody, as to invite is their work; where somebody of the launch is called as one of them, it may be either.
    """
    way, group, planned = sheet.roles.get("channel"), group_of(sheet, people), people.planned["customer_id"]
    cells = [fields.text(sheet.frame[name]).map_elements(bringer_in, pl.String) for name in sheet.whose.bringers]
    if way is not None:
        cells.append(fields.text(sheet.frame[way]).map_elements(lambda text: bringer_in(text, told_by_way=True), pl.String))
    if all(cell.null_count() == len(cell) for cell in cells):
        return BRINGERS.to_frame()
    names = tuple(f"bringer {at}" for at in range(len(cells)))
    named = pl.lit(None, pl.String) if sheet.whose.group is None else pl.col(sheet.whose.group).cast(pl.String)
    frame = sheet.frame.select(ROW, here=pl.when(named.is_in(list(people.group_names))).then(named).otherwise(pl.lit(group, pl.String)))
    frame = frame.with_columns(cell.alias(name) for name, cell in zip(names, cells, strict=True))
    found, why = recognize_rows(frame, Whose(names, names, (), "here"), people, group)
    frame = frame.with_columns(found=found, why=why, bringer=pl.coalesce(pl.lit(None, pl.String), *names))
    known = pl.concat([planned, people.contacts["customer_id"], *([] if people.ids is None else [people.ids])]).implode()
    ids = pl.DataFrame([recognize_ids(frame[name], planned) for name in names])
    by_id = ids.select(pl.coalesce(pl.when(pl.col(name).is_in(known)).then(name) for name in ids.columns)).to_series()
    of_staff = [any(_is_colleague(text, people) for text in row if text) for row in frame.select(names).iter_rows()]
    staff = pl.Series(of_staff, dtype=pl.Boolean) & (why != "phone").fill_null(value=True)
    either = pl.when(pl.col("found").is_in(planned.implode())).then(pl.lit(str(SEVERAL))).otherwise(pl.lit(COLLEAGUE))
    frame = frame.with_columns(
        brought_by=pl.coalesce(by_id, pl.when(~staff).then("found")),
        doubt=pl.when(staff).then(either).otherwise("why").replace_strict(_DOUBTS, default=None, return_dtype=pl.String),
    )
    open_ = pl.col("bringer").is_not_null() & pl.col("brought_by").is_null()
    told = frame.with_columns(doubt=pl.when(open_).then("doubt"), row=ROW, source=pl.lit(hide(sheet.name)))
    return told.with_columns(bringer_column=pl.lit(next(iter(sheet.whose.bringers), way), pl.String)).select(BRINGERS.names())


def _is_colleague(text: str, people: People) -> bool:
    return any(key in people.colleagues for key in name_readings(text))


def with_bringers(rows: pl.DataFrame, bringers: list[pl.DataFrame]) -> pl.DataFrame:
    """Add to rows who brought them, see `BRINGERS`; nobody brings themselves."""
    both = rows.join(pl.concat([BRINGERS.to_frame(), *bringers]), on=["source", "row"], how="left", maintain_order="left")
    own = (pl.col("brought_by") == pl.col("customer_id")).fill_null(value=False)
    doubt = pl.when(own).then(pl.lit(str(BRINGER_SELF))).otherwise("doubt")
    return both.with_columns(brought_by=pl.when(~own).then("brought_by"), doubt=doubt)


def reject_bringers(good: pl.DataFrame) -> pl.DataFrame:
    """List where it cannot be told who brought somebody; what stands there is shown by its shape."""
    shown = pl.col("bringer").map_elements(shape, pl.String)
    told = good.drop_nulls("doubt").with_columns(table=pl.lit("answers"), value=shown)
    return (
        told.rename({"bringer_column": "head"})
        .select("table", "row", "value", file="source", column="head", reason="doubt")
        .select(REJECTS.names())
    )


def find_newcomers(dated: pl.DataFrame, who: pl.DataFrame, people: People) -> pl.DataFrame:
    """List who joined, is nobody whom the launch or the shop knows, and was brought by somebody: `NEWCOMERS`, with source and row.

    They are told apart by phone, or else by name; whoever stands in several lists is one.
    """
    strange = (pl.col("how") == str(NOBODY)) & pl.col("customer_id").is_null() & (pl.col("answer") == "joined")
    came = dated.filter(strange, pl.col("brought_by").is_not_null()).join(who, on=["source", "row"], maintain_order="left")
    numbers = read_phones(came["phone"], country_of(people.launch))["number"].cast(pl.String)
    folded = pl.Series([fold_name(name) if name else None for name in came["name"]], dtype=pl.String)
    came = came.with_columns(pl.coalesce(numbers, folded).alias("key")).sort("answered_on", "source", "row")
    first = came.select("key").unique(maintain_order=True).with_row_index("number", offset=1)
    named = came.join(first, on="key", maintain_order="left").with_columns(pl.format("new {}", "number").alias("customer_id"))
    return named.select("source", "row", "customer_id", "brought_by", "answered_on", pl.col("here").alias("group"))
