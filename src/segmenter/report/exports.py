"""The list of the invited as other systems take it; what holds contacts is written only where `exports` asks for it."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from segmenter.messages import Message
from segmenter.report.call_sheet_words import contact_remark
from segmenter.report.labels import Labels
from segmenter.report.outputs import Output, csv
from segmenter.settings import OTHER_PERSONA, LaunchJob
from segmenter.sources.phones import country_of, read_phones
from segmenter.words import visible

if TYPE_CHECKING:
    from segmenter.launch_plan import LaunchPlan

FOLDER = "exports"
# WeCom's limits, in characters: developer.work.weixin.qq.com/document/path/92115 and 92117, looked up on 2026-11-29.
_REMARK, _DESCRIPTION, _TAG, _TAGS_A_CALL = 20, 150, 30, 100
# Of the frame of people, beside the shop's own columns.
_PHONE, _MOBILE, _HOME, _MAIL, _REMARKED = "phone_with_country", "#mobile", "#home", "#mail", "#remark"
_EMAIL = r"^[^@\s]+@[^@\s]+\.[^@\s]+$"
_META_MIN = 100  # people; facebook.com/business/help/2082575038703844, looked up on 2026-11-29


def list_exports(plan: "LaunchPlan", settings: LaunchJob, contacts: pl.DataFrame | None) -> tuple[list[Output], list[Message]]:
    """List the files that `exports` asks for, and say of each how many of the invited it leaves out.

    ``csv`` has all of the invited, with the shop's contacts and ``phone_with_country``, which has digits only. ``wecom`` has whoever has a
    mobile phone, in the fields and within the limits of WeCom's customer contact API, and the bodies that make its tags. ``meta`` has what
    a custom audience is matched by, normalised and hashed.
    """
    if not settings.exports:
        return [], []
    labels = Labels(settings.lang, settings.launch.currency)
    people = _people(plan, settings, contacts, labels)
    files, notes = [], []
    for export in dict.fromkeys(settings.exports):
        match export:
            case "csv":
                files.append(csv(f"{FOLDER}/invited", people.drop(_MOBILE, _HOME, _MAIL, _REMARKED)))
            case "wecom":
                kept, tags = _for_wecom(people, settings, labels)
                files += [csv(f"{FOLDER}/wecom_customers", kept), _json(f"{FOLDER}/wecom_tags.json", tags)]
                notes.append(_left_out(export, kept.height, people.height, Message("exports.mobile", "a mobile phone")))
            case "meta":
                kept = _for_meta(people, settings)
                files.append(Output(f"{FOLDER}/meta_custom_audience.csv", kept.write_csv))  # no byte order mark: programs read it
                notes.append(_left_out(export, kept.height, people.height, Message("exports.either", "a phone or e-mail")))
                if kept.height < _META_MIN:
                    sentence = "exports: Meta advises against lists of fewer than {min} people, and few of them are matched (got {count})"
                    notes.append(Message("exports.few", sentence, min=_META_MIN, count=kept.height))
            case "database" if not settings.launch.commit:
                sentence = "exports: a draft is in no database; the list goes into {table} with `segmenter commit`"
                notes.append(Message("exports.draft", sentence, table=settings.exports_database.table))
    return files, notes


def _left_out(export: str, kept: int, invited: int, needs: Message) -> Message:
    sentence = "exports: {export} has {kept:,} of {invited:,} invited; {rest:,} are without {needs}"
    return Message("exports.left_out", sentence, export=export, kept=kept, invited=invited, rest=invited - kept, needs=needs)


def _people(plan: "LaunchPlan", settings: LaunchJob, contacts: pl.DataFrame | None, labels: Labels) -> pl.DataFrame:
    """Give the invited by rank with what the systems want to know; contacts as text, and the first of them that is a phone or an e-mail."""
    names = plan.segments.select("segment", pl.col("name").alias("segment_name"))
    invited = plan.invite_list.sort("rank").join(names, on="segment", how="left", validate="m:1", maintain_order="left")
    persona = pl.col("persona") if "persona" in invited.columns else pl.lit(None, pl.String)
    chosen = invited.select(
        "customer_id",
        "group",
        pl.col("region").fill_null(labels.region(None)),
        "wave",
        "call_on",
        "agent",
        pl.col("segment_name").alias("segment"),
        persona.replace(OTHER_PERSONA, None).alias("persona"),
        pl.lit(plan.valid_until).alias("valid_until"),
    )
    known = chosen.select("customer_id").clear() if contacts is None else contacts.cast(pl.String)
    if "name" not in known.columns:
        known = known.with_columns(name=pl.lit(None, pl.String))
    people = chosen.join(known, on="customer_id", how="left", validate="1:1", maintain_order="left", suffix="_contact")
    theirs = [name for name in people.columns if name not in (*chosen.columns, "name")]
    country = country_of(settings.launch)
    read = [read_phones(people[name], country) for name in theirs]
    nothing = pl.lit(None, pl.String)
    return people.with_columns(
        pl.coalesce(nothing, *(_international(phone) for phone in read)).alias(_PHONE),
        pl.coalesce(nothing, *(_international(phone, "mobile", "foreign") for phone in read)).alias(_MOBILE),
        pl.coalesce(nothing, *(_international(phone, "mobile", "landline") for phone in read)).alias(_HOME),
        pl.coalesce(nothing, *(pl.col(name).str.strip_chars().str.extract(f"({_EMAIL})") for name in theirs)).alias(_MAIL),
        contact_remark(settings.launch, pl.col("name")).alias(_REMARKED),
    )


def _international(phone: pl.DataFrame, *kinds: str) -> pl.Series:
    """Give the numbers of some kinds as E.164 has them, without the + that spreadsheets take for a formula; of all where none is named."""
    kinds = kinds or ("mobile", "landline", "foreign")
    number = pl.when(pl.col("phone").cast(pl.String).is_in(kinds)).then(pl.col("number").cast(pl.String)).alias("number")
    return phone.select(number)["number"]


def _for_wecom(people: pl.DataFrame, settings: LaunchJob, labels: Labels) -> tuple[pl.DataFrame, list[dict[str, Any]]]:
    """Give whom agents add, by the fields of ``externalcontact/remark``, and the bodies of ``externalcontact/add_corp_tag``."""
    launch = settings.launch
    kept = people.filter(pl.col(_MOBILE).is_not_null())
    tags, columns = [], {}
    groups = {
        "segment": labels.say("segments", "客户分群"),
        "persona": labels.say("personas", "客户需求"),
        "group": labels.say("groups", "社群"),
    }
    for column, kind in groups.items():
        found = kept[column].drop_nulls().unique(maintain_order=True).to_list()
        short = _cut_apart(found, _TAG)
        columns[column] = pl.col(column).replace_strict(short, return_dtype=pl.String, default=None).alias(f"{column}_tag")
        named = visible(launch.name)[: _TAG - len(kind) - 1] + f" {kind}"
        bodies = [{"name": name, "order": len(found) - at} for at, name in enumerate(short.values())]  # the highest order stands first
        tags += [{"group_name": named, "tag": bodies[start : start + _TAGS_A_CALL]} for start in range(0, len(bodies), _TAGS_A_CALL)]
    description = pl.concat_str("customer_id", "segment", "persona", "group", separator=" · ", ignore_nulls=True)
    domestic = "86"  # WeCom adds mainland numbers without their country's code
    return kept.select(
        pl.col("agent").alias("userid"),
        pl.col(_MOBILE).str.strip_prefix(domestic).alias("remark_mobiles"),
        pl.col(_REMARKED).str.slice(0, _REMARK).alias("remark"),
        description.str.slice(0, _DESCRIPTION).alias("description"),
        *columns.values(),
        "call_on",
        "customer_id",
    ), tags


def _cut_apart(names: Iterable[str], most: int) -> dict[str, str]:
    """Cut names to a length, and keep apart with a number at their end what is the same then."""
    cut: dict[str, str] = {}
    for name in names:
        short, number = visible(name)[:most], 1
        while short in cut.values():
            number += 1
            short = visible(name)[: most - len(str(number)) - 1] + f"~{number}"
        cut[name] = short
    return cut


def _for_meta(people: pl.DataFrame, settings: LaunchJob) -> pl.DataFrame:
    """Give hashed e-mails, phones with their country's code, and the country, each person once, in no order that tells a rank."""
    country = country_of(settings.launch)
    plain = people.filter(pl.any_horizontal(pl.col(_PHONE, _MAIL).is_not_null())).select(
        email=pl.col(_MAIL).str.to_lowercase(),
        phone=_PHONE,
        country=pl.when(pl.col(_PHONE) == pl.col(_HOME)).then(pl.lit(country, pl.String).str.to_lowercase()),
    )
    hashed = plain.with_columns(pl.all().map_elements(hash_for_meta, return_dtype=pl.String))
    return hashed.unique().sort("email", "phone", nulls_last=True)


def hash_for_meta(normalised: str) -> str:
    """Give the SHA-256 of a normalised value in lower-case hexadecimal digits, as Meta's Marketing API asks.

    >>> hash_for_meta("mary@example.com")[:16]
    'f1904cf1a9d73a55'
    """
    return hashlib.sha256(normalised.encode()).hexdigest()


def _json(name: str, facts: object) -> Output:
    written = json.dumps(facts, ensure_ascii=False, indent=1) + "\n"

    def write(path: Path) -> None:
        path.write_text(written, encoding="utf-8", newline="\n")

    return Output(name, write)
