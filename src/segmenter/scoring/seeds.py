"""The customers whose like is looked for, and those who are nearly the same as one of them: none of these is invited."""

from datetime import date

import polars as pl

from segmenter import sql
from segmenter.checks.ledger_ids import recognize_people
from segmenter.conditions import conditions
from segmenter.contacts import hide
from segmenter.errors import InputError, nearest
from segmenter.messages import Message
from segmenter.settings import CoreSettings, LookalikeSettings
from segmenter.tables import Tables

MARK, SEED, COPY = "lookalike", "seed", "copy"  # the column, and what stands in it
_RARE = 3  # customers of the same measures: of more, to be the same says nothing
_EXAMPLES = 3


def defining_columns(settings: LookalikeSettings) -> list[str]:
    """List the columns that a condition defines the seeds by."""
    return [] if settings.condition is None else list(dict.fromkeys(sql.expression(settings.condition).meta.root_names()))


def with_seeds(
    frame: pl.DataFrame, tables: Tables, settings: CoreSettings, as_of: date, *, earlier: bool = False
) -> tuple[pl.DataFrame, tuple[Message, ...]]:
    """Mark seeds in a frame of measures, as they were known at the date, and who is nearly one.

    Nearly one is who has a seed's phone or, with `rules.per_account`, account, or is the same as a seed in every measure and attribute
    where hardly anybody else is. Looked at from `earlier` than the launch's date, unknown ids say nothing. InputError where there are none.
    """
    scoring = settings.scoring
    warnings: tuple[Message, ...] = ()
    if not isinstance(scoring, LookalikeSettings):
        return frame, ()
    if scoring.condition is not None:
        (found,) = conditions(frame, {"scoring.seeds": scoring.condition}, settings.launch.currency).values()
        if not found.any():
            raise InputError(
                Message("scoring.no_such_seeds", "scoring.seeds: the condition holds for no customer as of {date}", date=as_of)
            )
    else:
        ids = _joiners(scoring.launch, tables, as_of) if scoring.launch is not None else tables.seeds
        if ids is None:
            sentence = "scoring.seeds: the file was not read; give the ids as Tables.seeds"
            raise InputError(Message("scoring.seeds_not_read", sentence))
        found = frame["customer_id"].is_in(ids.implode())
        if not earlier:
            found, warnings = _known(frame["customer_id"], ids)
        elif not found.any():
            raise InputError(Message("scoring.no_seeds_yet", "scoring.seeds: none of the seeds was a customer by {date}", date=as_of))
    if found.all():
        sentence = "scoring.seeds: all {count:,} customers are seeds: nobody is left who could be like them"
        raise InputError(Message("scoring.all_seeds", sentence, count=len(found)))
    copies = _copies(frame, found, settings.rules.per_account)
    return frame.with_columns(pl.when(found).then(pl.lit(SEED)).when(copies).then(pl.lit(COPY)).alias(MARK)), warnings


def _joiners(name: str, tables: Tables, as_of: date) -> pl.Series:
    """List who had joined a launch before a date."""
    launches = [] if tables.launches is None else tables.launches.invited["launch"].unique().sort().to_list()
    if tables.launches is None or name not in launches:
        sentence = (
            "scoring.seeds: launch {name} is not in the ledger as of {date}, or nobody has answered it yet{nearest} (it has {launches})"
        )
        known = tuple(launches) or (Message("scoring.no_launches", "none"),)
        raise InputError(
            Message("scoring.unknown_launch", sentence, name=name, date=as_of, nearest=nearest(name, launches), launches=known)
        )
    joined = tables.launches.invited.filter(pl.col("answered_on") < as_of, launch=name, answer="joined")["customer_id"]
    if joined.is_empty():
        sentence = "scoring.seeds: nobody had joined launch {name} by {date}; read the answers with `segmenter review`, or take other seeds"
        raise InputError(Message("scoring.no_joiners", sentence, name=name, date=as_of))
    return joined.unique().sort()


def _known(customers: pl.Series, ids: pl.Series) -> tuple[pl.Series, tuple[Message, ...]]:
    """Say who of the customers are seeds, and which seeds are none; ids that are written otherwise are recognised."""
    read = recognize_people(ids, customers).unique().sort()
    unknown = read.filter(~read.is_in(customers.implode()))
    if unknown.is_empty():
        return customers.is_in(read.implode()), ()
    facts = {
        "count": len(unknown),
        "seeds": len(read),
        "ids": tuple(map(hide, unknown.head(_EXAMPLES))),
        "here": tuple(map(hide, customers.sort().head(_EXAMPLES))),
    }
    sentence = "scoring.seeds: {count:,} of {seeds:,} seeds are no customers, such as {ids} (customers have ids such as {here})"
    message = Message("scoring.unknown_seeds", sentence, **facts)
    if len(unknown) == len(read):
        raise InputError(message)
    return customers.is_in(read.implode()), (message,)


def _copies(frame: pl.DataFrame, seeds: pl.Series, account: str | None) -> pl.Series:
    """Say who is nearly a seed."""
    copies = pl.repeat(False, frame.height, dtype=pl.Boolean, eager=True)
    for name in ("shared_phone", account):
        if name in frame.columns:
            copies |= frame[name].is_in(frame[name].filter(seeds).drop_nulls().unique().implode()).fill_null(value=False)
    own = [name for name, kind in frame.schema.items() if name not in ("customer_id", "shared_phone") and not kind.is_temporal()]
    alike = frame.select(*own).with_row_index("at").join(frame.filter(seeds).select(own).unique(), on=own, how="semi", nulls_equal=True)
    rare = alike.filter(pl.len().over(own) <= _RARE)["at"]
    return copies | pl.int_range(frame.height, dtype=pl.UInt32, eager=True).is_in(rare.implode())
