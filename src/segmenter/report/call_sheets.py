"""Call sheets: a workbook for each region that groups keep to, and one for each agent with a sheet a day.

The only results with names and contacts in them, beside what is to be mended.
"""

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from segmenter import money
from segmenter.report.call_sheet_book import Book
from segmenter.report.call_sheet_cells import CONTACT, with_contacts
from segmenter.report.call_sheet_columns import lay_out
from segmenter.report.call_sheet_pages import About
from segmenter.report.call_sheet_words import buying_habit, contact_remark, hook_of, last_calls, opening_words
from segmenter.report.follow_ups import follow_up_calls
from segmenter.report.labels import Labels
from segmenter.report.language import translate
from segmenter.report.safe_text import safe_names
from segmenter.settings import OTHER_PERSONA, CoreSettings
from segmenter.tables import CHANNELS

if TYPE_CHECKING:
    from segmenter.launch_plan import LaunchPlan

_MOST_ROWS = 20_000  # of a workbook, which is held in memory; an agent's day has fewer
_MOST_DAYS = 31  # of an agent's workbook
# What is printed stands first and together, as a print area does; all else is for the screen. Where there are no names, the ids are there.
_WHO = ("name", CONTACT)
_PRINTED_BY_REGION = ("call_on", "group", *_WHO, "habit", "reason", "answer", "note")
_PRINTED_BY_DAY = ("wave", *_WHO, "group", "habit", "reason", "answer", "note")
_SAID_ABOVE = ("call_on", "agent")  # on the sheet of a day


def call_sheets(
    plan: "LaunchPlan",
    settings: CoreSettings,
    contacts: pl.DataFrame | None,
    invited: pl.DataFrame | None = None,
    follow_ups: pl.DataFrame | None = None,
) -> dict[str, Book]:
    """Lay out the call sheets of a launch: the workbooks by the names of their files, by region, then by agent.

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
    layouts = [
        lay_out(calls, labels, _printed(keys, calls), rest) for keys, rest in ((_PRINTED_BY_REGION, ()), (_PRINTED_BY_DAY, _SAID_ABOVE))
    ]
    found = {}
    for name, (unit, part, by_agent) in books.items():
        planned = bool(part["key_user"].count())  # others have neither day nor wave
        layout = layouts[by_agent] if planned else lay_out(part, labels, _PRINTED_BY_REGION[1:], ("wave", "rank", "call_on"))
        found[f"{names[name]}.xlsx"] = Book(unit, part, layout, about if planned else replace(about, agents=False), by_agent)
    return found


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
