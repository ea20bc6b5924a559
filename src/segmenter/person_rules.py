"""The rules about a person: what the shop and earlier launches say of them, how they can be reached, and who has the same phone."""

from collections.abc import Collection, Mapping
from datetime import date, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.errors import ConfigError
from segmenter.messages import Message
from segmenter.settings import LaunchSettings, RulesSettings
from segmenter.tables import VIOLATION

Flags = NDArray[np.bool_]
VIOLATIONS = f"events_{VIOLATION}"  # how often somebody broke a group's rules
_SHARED = "shared_phone"
_LAST_WORDS = {"wrong_number": "wrong_number_on", "agreed": "agreed_on", "refused_lately": "refused_on"}
# Whom these remove cannot be called by the same phone under another id.
_PERSONS = ("staff", "blocked", "violations", "consent", "member", "refused", "held_out", *_LAST_WORDS, "cooloff", "invitations")
_PHONES = {"mobile": "has_mobile", "landline": "has_landline", "foreign": "has_foreign_phone"}


def flagged(frame: pl.DataFrame, settings: RulesSettings) -> dict[str, pl.Series]:
    """Say by rule whom the shop's own flags keep."""
    flags = {"staff": ("staff", settings.staff), "blocked": ("blocked", settings.blocked), "consent": ("do_not_contact", settings.consent)}
    keeps = {name: ~frame[column] for name, (column, on) in flags.items() if on}
    if settings.violations is not None and VIOLATIONS in frame.columns:
        keeps["violations"] = frame[VIOLATIONS] < settings.violations
    return keeps


def preceded(frame: pl.DataFrame, settings: RulesSettings, launch: LaunchSettings, precedents: pl.DataFrame) -> dict[str, pl.Series]:
    """Say by rule whom earlier launches keep, see `tables.PRECEDENTS`."""
    known = frame.select("customer_id").join(precedents, on="customer_id", how="left", maintain_order="left")
    keeps = {}
    if settings.member:
        keeps["member"] = ~known["member"]
    if settings.refused:
        keeps["refused"] = ~known["refused"]
    if settings.held_out:  # before who agreed: nobody follows up a control group
        keeps["held_out"] = known["held_out_until"].is_null()
    for (name, column), days in zip(
        _LAST_WORDS.items(), (settings.wrong_number_days, settings.agreed_days, settings.refused_days), strict=True
    ):
        if days != 0:
            keeps[name] = known[column].is_null() | _passed(known[column], days, launch.as_of)
    if settings.cooloff_days is not None and launch.as_of is not None:
        keeps["cooloff"] = known["last_invited"] <= launch.as_of - timedelta(days=settings.cooloff_days)
    if settings.invitations.max is not None:
        keeps["invitations"] = known["invitations"] < settings.invitations.max
    return keeps


def _passed(since: pl.Series, days: int | None, as_of: date | None) -> pl.Series:
    """Say whether so many days have passed since then; where they are null, they never do."""
    if days is None or as_of is None:
        return pl.repeat(value=False, n=len(since), dtype=pl.Boolean, eager=True)
    return since <= as_of - timedelta(days=days)


def reached(frame: pl.DataFrame, settings: RulesSettings) -> dict[str, pl.Series]:
    """Say who can be reached; where the shop has no contacts, `auto` asks for none."""
    asked = settings.reachable
    if not asked or (asked == ("auto",) and _SHARED not in frame.columns):
        return {}
    if _SHARED not in frame.columns:
        sentence = (
            "rules.reachable: no column of the customers has their contacts (got {asked}); name those that do in data.customers.contact, "
            "or take auto"
        )
        raise ConfigError(Message("rules.no_contacts", sentence, asked=asked))
    phones = [_PHONES[kind] for kind in settings.phones]
    everything = [*phones, "has_wechat", "has_email", "has_other_contact"]
    columns = {"phone": phones, "wechat": ["has_wechat"], "email": ["has_email"], "any": everything, "auto": everything}
    keep = frame.select(pl.any_horizontal(name for means in asked for name in columns[means])).to_series().fill_null(value=False)
    return {"reachable": keep}


def share_phones(
    frame: pl.DataFrame, settings: RulesSettings, fails: Mapping[str, Flags], planned: Collection[str]
) -> tuple[Flags, Flags, Flags] | None:
    """Say who cannot be called as others have their phone: where one of these may not be called, or is planned already; and all but one.

    Of those whom all other rules keep, the one with the highest spend stays, ties by customer id; at last come those whom other rules
    remove, and who else would not be that one. None where no phone is known.
    """
    if not settings.per_phone or _SHARED not in frame.columns:
        return None
    forbidden, doubles, behind = (np.zeros(frame.height, dtype=bool) for _ in range(3))
    rows = np.flatnonzero(frame[_SHARED].is_not_null())
    if len(rows):
        none = np.zeros(len(rows), dtype=bool)
        part = frame[rows].select(
            *("customer_id", "spend", _SHARED),
            person=pl.Series(np.logical_or.reduce([none, *(fails[name][rows] for name in _PERSONS if name in fails)]))
            | frame["customer_id"][rows].is_in(list(planned)),
            failed=pl.Series(np.logical_or.reduce([none, *(fail[rows] for fail in fails.values())])),
        )
        best = pl.col("customer_id").sort_by("failed", "spend", "customer_id", descending=[False, True, False]).first()
        most = pl.when(~pl.col("failed")).then("spend").max().over(_SHARED)
        free = ~pl.col("person").any().over(_SHARED)
        told = part.select(
            forbidden=pl.col("person").any().over(_SHARED) & ~pl.col("person"),
            double=(pl.col("customer_id") != best.over(_SHARED)) & ~pl.col("failed") & free,
            behind=pl.col("failed") & free & (pl.col("spend") <= most).fill_null(value=False),
        )
        forbidden[rows], doubles[rows], behind[rows] = (told[name].to_numpy() for name in told.columns)
    return forbidden, doubles, behind
