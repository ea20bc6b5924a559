"""Call sheets: a workbook for each region that groups keep to, and one for each agent with a sheet a day.

The only results with names and contacts in them, beside what is to be mended.
"""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from segmenter import money
from segmenter.report.call_sheet_cells import (
    CONTACT,
    Formats,
    display_width,
    formats,
    new_workbook,
    protect,
    with_contacts,
    write_cell,
)
from segmenter.report.call_sheet_columns import Layout, lay_out
from segmenter.report.call_sheet_pages import About, add_days, add_heading, add_info, day_name
from segmenter.report.call_sheet_words import ANSWER_WORDS, buying_habit, contact_remark, hook_of, last_calls, opening_words
from segmenter.report.follow_ups import follow_up_calls
from segmenter.report.labels import Labels
from segmenter.report.language import translate
from segmenter.report.safe_text import safe_names
from segmenter.settings import OTHER_PERSONA, CoreSettings
from segmenter.tables import CHANNELS
from segmenter.words import visible

if TYPE_CHECKING:
    from segmenter.launch_plan import LaunchPlan

_MOST_ROWS = 20_000  # of a workbook, which is held in memory; an agent's day has fewer
_MOST_DAYS = 31  # of an agent's workbook
_LINE = 16.0  # points
# What is printed stands first and together, as a print area does; all else is for the screen. Where there are no names, the ids are there.
_WHO = ("name", CONTACT)
_PRINTED_BY_REGION = ("call_on", "group", *_WHO, "habit", "reason", "answer", "note")
_PRINTED_BY_DAY = ("wave", *_WHO, "group", "habit", "reason", "answer", "note")
_SAID_ABOVE = ("call_on", "agent")  # on the sheet of a day


def call_sheets(
    plan: "LaunchPlan",
    settings: CoreSettings,
    contacts: pl.DataFrame | None,
    folder: Path,
    invited: pl.DataFrame | None = None,
    follow_ups: pl.DataFrame | None = None,
) -> list[Path]:
    """Write the call sheets of a launch into a folder, which is made where it is not there; and list them by region, then by agent.

    The workbook of a region has a sheet of calls with its header in row 1, sorted by group, wave and rank, before these by agent and day
    where there are agents; then one of the number of calls by day and agent; and a sheet that says what it is. That of an agent has a
    sheet for each day, in the order to call, with what to say above the header. Ids and contacts are text, no cell is a formula, and only
    what an agent fills in can be written to. The same plan gives the same bytes.

    The contacts have ``customer_id``, ``name`` and contact columns as text, at most one row per customer; `invited` is what the ledger
    has of earlier calls, see `tables.INVITED`; follow-ups, see `list_follow_ups`, have a workbook of their own. A region with more than
    20,000 calls, or an agent with more than 31 days, has several workbooks.
    """
    labels = Labels(settings.lang, settings.launch.currency)
    calls = _calls(plan, plan.invite_list, contacts, invited, settings, labels)
    as_of = plan.valid_until - timedelta(days=settings.launch.valid_days)
    agents, held_out = bool(settings.plan.agents), bool(plan.customers["held_out"].any())
    starters = _name_starters(plan.starters, contacts)
    platform = tuple(translate(note, settings.lang) for note in plan.platform)
    advised = plan.segments.group_by("advice", maintain_order=True).agg(pl.col("name").str.join(" / "))
    advice = tuple(f"{names}: {text}" for text, names in advised.rows())
    about = About(
        settings.launch, labels, as_of, plan.valid_until, agents, held_out, platform, starters, plan.live_events, settings.personas, advice
    )
    books: dict[str, tuple[str, pl.DataFrame, bool]] = {}
    for (unit,), part in calls.group_by("unit", maintain_order=True):
        books |= _numbered(str(unit), list(part.iter_slices(_MOST_ROWS)), by_agent=False)
    if agents:
        days = calls.filter("called").sort("agent", "call_on", "wave_number", "place", "rank")
        for (agent,), part in days.group_by("agent", maintain_order=True):
            months = [month for _, month in part.group_by((pl.col("call_on").rle_id() // _MOST_DAYS), maintain_order=True)]
            name = labels.say("agent {}", "客服 {}").format(agent)
            while name in books:  # a region's
                name += "_"
            books |= _numbered(name, months, by_agent=True)
    if follow_ups is not None and not follow_ups.is_empty():
        again = _calls(plan, follow_up_calls(follow_ups, plan.customers, labels), contacts, invited, settings, labels)
        name = labels.say("follow up", "待跟进")
        books |= _numbered(name + "_" * (name in books), [again.with_columns(place=0)], by_agent=False)
    names = safe_names(books)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    layouts = [
        lay_out(calls, labels, _printed(keys, calls), rest) for keys, rest in ((_PRINTED_BY_REGION, ()), (_PRINTED_BY_DAY, _SAID_ABOVE))
    ]
    for name, (unit, part, by_agent) in books.items():
        paths.append(folder / f"{names[name]}.xlsx")
        planned = bool(part["key_user"].count())  # others have neither day nor wave
        layout = layouts[by_agent] if planned else lay_out(part, labels, _PRINTED_BY_REGION[1:], ("wave", "rank", "call_on"))
        write_book(paths[-1], unit, part, layout, about if planned else replace(about, agents=False), by_agent=by_agent)
    return paths


def _printed(keys: tuple[str, ...], calls: pl.DataFrame) -> tuple[str, ...]:
    """Print what to offer to whom, where there are personas, in the place of the habit, which the reason says much of."""
    return tuple("hook" if key == "habit" and "hook" in calls.columns else key for key in keys)


def _numbered(name: str, pieces: list[pl.DataFrame], *, by_agent: bool) -> dict[str, tuple[str, pl.DataFrame, bool]]:
    if len(pieces) == 1:
        return {name: (name, pieces[0], by_agent)}
    return {f"{name} {number}": (name, piece, by_agent) for number, piece in enumerate(pieces, start=1)}


def _name_starters(starters: pl.DataFrame, contacts: pl.DataFrame | None) -> pl.DataFrame:
    """Give staff the names that the contacts have."""
    if contacts is None or "name" not in contacts.columns:
        return starters
    known = starters.join(contacts.select(starter="customer_id", name="name"), on="starter", how="left", maintain_order="left")
    named = (pl.col("kind") == "staff") & pl.col("name").is_not_null()
    return known.with_columns(pl.when(named).then(pl.format("{} {}", "name", "starter")).otherwise("starter").alias("starter"))


def _calls(
    plan: "LaunchPlan",
    listed: pl.DataFrame,
    contacts: pl.DataFrame | None,
    invited: pl.DataFrame | None,
    settings: CoreSettings,
    labels: Labels,
) -> pl.DataFrame:
    launch, agents = settings.launch, bool(settings.plan.agents)
    groups = plan.groups.select("group", pl.col("region").alias("unit")).with_row_index("place")
    calls = listed.join(groups, on="group", how="left", validate="m:1")
    calls = calls.join(plan.segments.select("segment", pl.col("name").alias("segment_name")), on="segment", how="left", validate="m:1")
    gaps = plan.customers.select("customer_id", "average_gap_days").filter(pl.col("customer_id").is_in(calls["customer_id"].implode()))
    calls = calls.join(gaps, on="customer_id", how="left", validate="1:1").with_columns(buying_habit(labels))
    personas = settings.personas if "persona" in calls.columns else ()
    calls = with_contacts(calls, contacts).with_columns(
        opening_words(launch, pl.col("name"), personas).alias("script"), contact_remark(launch, pl.col("name")).alias("remark")
    )
    if personas:
        named = pl.col("persona").replace(OTHER_PERSONA, labels.say("other", "其他"))
        whole = pl.concat_str(named, hook_of(launch, personas), separator=labels.say(": ", "："), ignore_nulls=True)
        calls = calls.with_columns(whole.alias("hook"), named.alias("persona"))
    past = pl.DataFrame(schema={"customer_id": pl.String, "last_call": pl.String}) if invited is None else last_calls(invited, labels)
    calls = calls.join(past, on="customer_id", how="left", validate="m:1")
    waves = {wave: labels.wave(wave) for wave in calls["wave"].drop_nulls().unique()}
    # Whom nobody calls yet comes last; where there are no agents, that is everybody.
    called = pl.col("agent").is_not_null()
    order = [pl.col("place").min().over("unit"), ~called, "agent", pl.when(called).then("call_on"), "place", "wave", "rank"]
    calls = money.to_units(calls.sort(order), ["spend"], labels.currency)
    return calls.with_columns(
        (pl.col("wave") == 1).alias("key_user"),  # null of who has no wave
        called.alias("called"),
        pl.col("wave").alias("wave_number"),
        pl.col("wave").replace_strict(waves, return_dtype=pl.String),
        pl.col("channel").replace({name: labels.channel(name) for name in CHANNELS}),
        pl.col("region").fill_null(labels.region(None)),
        pl.col("agent").fill_null(labels.say("nobody yet", "待分配")) if agents else "agent",
        pl.col("segment_name").alias("segment"),
        *([pl.col("role").replace({name: labels.role(name) for name in settings.roles})] if "role" in calls.columns else []),
        *(pl.lit(None, dtype=pl.Date).alias(day) for day in ("answered_on", "call_again")),
        *(pl.lit(None, dtype=pl.String).alias(key) for key in ("answer", "refusal", "note", "new_phone", "brought_by")),
    )


def write_book(path: Path, unit: str, calls: pl.DataFrame, layout: Layout, about: About, *, by_agent: bool) -> None:
    """Write a workbook of calls."""
    launch, labels = about.launch, about.labels
    properties = {"title": visible(f"{launch.name} · {unit}"), "created": datetime.combine(about.as_of, time(), UTC)}
    with new_workbook(path, properties) as book:
        styles = formats(book, labels)
        if by_agent:
            for (day,), part in calls.group_by("call_on", maintain_order=True):
                _add_calls(book, day_name(day, labels), unit, part, layout, styles, about, day)
        else:
            _add_calls(book, labels.say("calls", "外呼名单"), unit, calls, layout, styles, about)
            if about.agents:
                add_days(book, calls, about)
        add_info(book, unit, calls, about, by_agent=by_agent)


def _add_calls(
    book: Any, name: str, unit: str, calls: pl.DataFrame, layout: Layout, styles: Formats, about: About, day: date | None = None
) -> None:
    """Add a sheet of calls; that of a day says above the header what to say."""
    sheet = book.add_worksheet(name)
    top = 0 if day is None else add_heading(book, sheet, _heading(unit, name, calls, about), layout.printed, calls, about)
    _fill(sheet, top, calls, layout, styles, ruled=about.agents and day is None)
    _arrange(sheet, top, calls.height, layout, about.labels)
    # Excel takes at most 255 characters, and an ampersand stands for itself only when doubled.
    title = " · ".join(part for part in (about.launch.name, unit, about.launch.topic) if part)
    title = visible(title)[:90].replace("&", "&&")
    sheet.set_header(f"&L{title}&R{about.labels.say('good until', '有效期至')} {about.valid_until}")
    sheet.set_footer("&C&P / &N")


def _heading(agent: str, day: str, calls: pl.DataFrame, about: About) -> str:
    count = about.labels.say("{} calls", "{} 位客户").format(about.labels.number(calls.height))
    return " · ".join(part for part in (agent, day, count, about.launch.name, about.launch.topic) if part)


def _fill(sheet: Any, top: int, calls: pl.DataFrame, layout: Layout, styles: Formats, *, ruled: bool) -> None:
    for place, column in enumerate(layout.columns):
        sheet.set_column(place, place, column.width)
        write_cell(sheet, top, place, column.head, styles["head", False, False])
    # Not every program makes room for wrapped text by itself.
    wrapped = {column.key: column.width for column in layout.columns if column.style == "wrapped"}
    lines = pl.max_horizontal((display_width(key) / width).ceil() for key, width in wrapped.items()).fill_null(1).alias("lines")
    day = pl.struct("agent", "call_on")
    begins = (day != day.shift()).fill_null(value=False) if ruled else pl.lit(value=False)
    cells = calls.select("key_user", begins.alias("begins"), lines, *(column.key for column in layout.columns))
    cells = cells.with_columns(pl.col("key_user").fill_null(value=False))
    for row, (key_user, begun, high, *values) in enumerate(cells.iter_rows(), start=top + 1):
        sheet.set_row(row, _LINE * max(high, 1) + 3)
        for place, (column, value) in enumerate(zip(layout.columns, values, strict=True)):
            write_cell(sheet, row, place, value, styles[column.style, key_user, begun])


def _arrange(sheet: Any, top: int, rows: int, layout: Layout, labels: Labels) -> None:
    answers, last = [labels.say(*answer) for answer in ANSWER_WORDS.values()], top + rows
    choice = {
        "validate": "list",
        "source": answers,
        "error_title": labels.say("answer", "答复"),
        "error_message": labels.say("Please choose one of: ", "请从列表中选择：") + labels.say(", ", "、").join(answers),
    }
    sheet.data_validation(top + 1, layout.place("answer"), last, layout.place("answer"), choice)
    sheet.set_row(top, 30)
    who = next(place for place, column in enumerate(layout.columns) if column.key in ("name", "customer_id"))
    sheet.freeze_panes(top + 1, who + 1)
    sheet.autofilter(top, 0, last, len(layout.columns) - 1)
    sheet.ignore_errors({"number_stored_as_text": f"A1:XFD{last + 1}"})
    protect(sheet)
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.print_area(0, 0, last, layout.printed - 1)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0, top)
    sheet.set_margins(left=0.3, right=0.3, top=0.7, bottom=0.6)
