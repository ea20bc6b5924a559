"""The sheets of a day: a workbook for each agent, with the calls in their order; filled in, they are answers."""

from datetime import date
from pathlib import Path

import polars as pl

from segmenter.planning import LiveEvent
from segmenter.planning.day_calls import DayCalls
from segmenter.report.call_sheet_book import Book, BookMaker
from segmenter.report.call_sheet_cells import CONTACT, with_contacts
from segmenter.report.call_sheet_columns import lay_out
from segmenter.report.call_sheet_pages import About
from segmenter.report.call_sheet_words import buying_habit, contact_remark, hook_of, opening_words
from segmenter.report.day_words import KIND_WORDS, last_words, words_to_say
from segmenter.report.labels import Labels
from segmenter.report.safe_text import safe_names
from segmenter.settings import OTHER_PERSONA, LaunchSettings, PersonaSettings
from segmenter.tables import CHANNELS, NOT_KNOWN

_PRINTED = ("kind", "name", CONTACT, "group", "last_call", "say", "answer", "note")


def day_sheets(
    calls: DayCalls,
    orders: pl.DataFrame,
    contacts: pl.DataFrame | None,
    results: Path | None,
    folder: Path,
    about: tuple[LaunchSettings, Labels, tuple[LiveEvent, ...]],
    personas: tuple[PersonaSettings, ...] = (),
) -> list[Path]:
    """Write the workbooks of a day's calls into a folder, which is made where it is not there.

    The contacts are as for `call_sheets`; the reasons are those of the launch's `results`, where these are there. The day stands already
    where the date of the answer is written: who fills in the sheet on another day writes that.
    """
    launch, labels, events = about
    time = next((event.time for event in events if event.day == calls.day), None)
    rows = _rows(calls, orders, contacts, results, launch, labels, time, personas)
    folder.mkdir(parents=True, exist_ok=True)
    if rows.is_empty():
        return []
    layout = lay_out(rows, labels, _PRINTED, ("call_on", "agent"))
    held_out = bool((calls.people["status"] == "held_out").any())
    said = About(launch, labels, calls.day, calls.day, False, held_out, (), _NO_STARTERS, events, personas)
    named = {_name(agent, calls.day, labels): (agent, part) for (agent,), part in rows.group_by("agent", maintain_order=True)}
    files = safe_names(named)
    books = {f"{files[name]}.xlsx": Book(_unit(agent, labels), part, layout, said, by_agent=True) for name, (agent, part) in named.items()}
    return BookMaker(books).write(folder)


_NO_STARTERS = pl.DataFrame(schema={"group": pl.String, "starter": pl.String, "kind": pl.String})


def _unit(agent: object, labels: Labels) -> str:
    return labels.say("nobody yet", "待分配") if agent is None else labels.say("agent {}", "客服 {}").format(agent)


def _name(agent: object, day: date, labels: Labels) -> str:
    return f"{_unit(agent, labels)} {day}"


def _rows(
    calls: DayCalls,
    orders: pl.DataFrame,
    contacts: pl.DataFrame | None,
    results: Path | None,
    launch: LaunchSettings,
    labels: Labels,
    time: str | None,
    personas: tuple[PersonaSettings, ...],
) -> pl.DataFrame:
    rows = calls.calls.drop("reason").join(_bought(orders, calls.day), on="customer_id", how="left", validate="m:1", maintain_order="left")
    rows = rows.join(_reasons(results), on="customer_id", how="left", validate="m:1", maintain_order="left")
    rows = with_contacts(rows, contacts).with_columns(hook_of(launch, personas).alias("hook"))
    told = [(last_words(row, labels), words_to_say(row, labels, time)) for row in rows.iter_rows(named=True)]
    rows = rows.drop("hook").with_columns(pl.col("persona").replace(OTHER_PERSONA, labels.say("other", "其他")))
    unknown = pl.col("status") == NOT_KNOWN
    if rows.select(unknown.any()).item():  # their names are needed; of all others, where there are none, the ids
        rows = rows.with_columns(
            name=pl.col("name").fill_null(pl.when(~unknown).then("customer_id")), customer_id=pl.when(~unknown).then("customer_id")
        )
    opening = opening_words(launch, pl.col("name"), personas)
    persona = pl.when(pl.col("persona").is_in([each.name for each in personas])).then("persona")
    waves = {wave: labels.wave(wave) for wave in rows["wave"].drop_nulls().unique()}
    return rows.with_columns(
        buying_habit(labels),
        opening.alias("script"),
        contact_remark(launch, pl.col("name")).alias("remark"),
        pl.Series("last_call", [last for last, _ in told], dtype=pl.String),
        pl.Series("say", [words for _, words in told], dtype=pl.String),
        pl.col("kind").replace_strict({kind: labels.say(*words) for kind, words in KIND_WORDS.items()}, return_dtype=pl.String),
        key_user=(pl.col("wave") == 1).fill_null(value=False),
        place=pl.col("group").rank("dense"),
        wave=pl.col("wave").replace_strict(waves, return_dtype=pl.String),
        channel=pl.col("channel").replace({name: labels.channel(name) for name in CHANNELS}),
        region=pl.col("region").fill_null(labels.region(None)),
        call_on=pl.lit(calls.day),
        call_again=pl.lit(None, pl.Date),
        answered_on=pl.lit(calls.day),
        answer=pl.lit(None, pl.String),
        **{key: pl.lit(None, pl.String) for key in ("refusal", "note", "new_phone", "brought_by")},
    ).with_columns(
        # A first call begins with the opening words, which stand above the list, and goes on with why they are invited, or how they buy.
        say=pl.when(unknown).then(pl.lit(labels.say("Not known in the shop. ", "店内查无此客户。"))).otherwise(pl.lit(""))
        + pl.concat_str(persona, pl.coalesce("say", "reason", "habit"), separator=labels.say(": ", "："), ignore_nulls=True),
        group=pl.col("group").fill_null(""),
        agent=pl.col("agent"),
    )


def _bought(orders: pl.DataFrame, day: date) -> pl.DataFrame:
    """Say how each customer buys by now, as `buying_habit` tells it."""
    placed = orders.filter(pl.col("time") < day, "is_order").with_columns(on=pl.col("time").dt.date())
    first, last, count = pl.col("on").min(), pl.col("on").max(), pl.len().cast(pl.Int64)
    return (
        placed.group_by("customer_id")
        .agg(
            orders=count,
            last_order_at=pl.col("time").max(),
            average_gap_days=(last - first).dt.total_days() / (count - 1),
        )
        .with_columns(pl.col("average_gap_days").fill_nan(None))
    )


def _reasons(results: Path | None) -> pl.DataFrame:
    """Read why each customer was invited, and their persona, where the launch's results say it still."""
    schema = {"customer_id": pl.String, "reason": pl.String, "persona": pl.String}
    file = None if results is None else results / "invite_list.parquet"
    if file is None or not file.is_file():
        return pl.DataFrame(schema=schema)
    listed = pl.read_parquet(file, columns=[name for name in pl.read_parquet_schema(file) if name in schema])
    return pl.concat([pl.DataFrame(schema=schema), listed], how="diagonal").unique("customer_id", keep="first", maintain_order=True)
