"""What a review asks of the ledger: which launch, and what its customers answered."""

import glob
import shlex
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import polars as pl

from segmenter.checks.ledger_ids import known_ids, recognize_invited, recognize_people
from segmenter.contacts import Contacts, is_contact_name
from segmenter.errors import InputError, LedgerError
from segmenter.findings import raise_stops
from segmenter.launch_record import LaunchRecord
from segmenter.ledger.connection import Ledger
from segmenter.ledger.drafts import find_draft
from segmenter.ledger.queries import list_answers, list_invitations, list_launches
from segmenter.ledger.records import record_answers, unknown_launch
from segmenter.ledger.schema import PLANNED
from segmenter.messages import Message
from segmenter.settings import ReviewJob
from segmenter.sources import answer_mending as mending
from segmenter.sources.answer_copies import original
from segmenter.sources.answer_people import People, fold_name
from segmenter.sources.answers import Answers, NoAnswersError, read_answers
from segmenter.sources.contacts_file import contacts_path, keep_contacts, read_contacts_file
from segmenter.sources.inputs import Inputs
from segmenter.sources.reject_reasons import BRINGERS, UNKNOWN_CUSTOMER
from segmenter.tables import REJECTS, Tables

_AT = ("source", "row")
_ENOUGH = 5  # answers, to say of what launch a file is


def find_launch(ledger: Ledger, name: str, drafts: Path | None = None) -> LaunchRecord:
    """Find a launch by its name; where there is none, the error names the nearest, or the draft of that name among the results."""
    known = list_launches(ledger).filter(state=PLANNED)
    draft = None if drafts is None or not known.filter(launch=name).is_empty() else find_draft(drafts / name, name)
    if draft is not None:
        rule = 'launch.name: "{launch}" is a draft, which nobody was invited by; make it the launch with `segmenter commit {out}`'
        raise LedgerError(Message("ledger.still_draft", rule, launch=name, out=shlex.quote(f"out={draft}")))
    if known.is_empty():
        rule = (
            "ledger: should hold the launch that is reviewed (got none in {ledger}); "
            "plan one with `segmenter launch`, or name the ledger with ledger.url=sqlite:///FILE"
        )
        raise LedgerError(Message("ledger.no_launch", rule, ledger=ledger.shown))
    named = known.filter(launch=name)
    if named.is_empty():
        raise LedgerError(unknown_launch(ledger, name, known["launch"].to_list()))
    row = named.row(0, named=True)
    columns = ("community", "as_of", "horizon_days", "target", "currency", "settings", "holdout")
    return LaunchRecord(name, *(row[column] for column in columns))


def read_new_answers(ledger: Ledger, launch: LaunchRecord, settings: ReviewJob, tables: Tables | None = None) -> Answers:
    """Read the answers that ``review.answers`` names, and those in the workbook of what was to be mended that stands in the results.

    By the shop's `tables` people are recognised who have no id there, and new phones are kept; without them neither is done.

    Where nobody has filled in a call sheet yet the sales can be reviewed all the same; and where the sheets are gone, but were read
    before, the ledger has what was in them. Then there are none, and a warning.
    """
    until, places = settings.review.as_of, (*settings.review.answers, *_day_sheets(settings.review.day_sheets))
    assert until is not None  # the job gives it
    days = [Path(place).parent for place in _day_sheets(settings.review.day_sheets)]
    mended = [str(folder / mending.FILE) for folder in dict.fromkeys([settings.out, *days]) if (folder / mending.FILE).is_file()]
    invitations = list_invitations(ledger, launch.name, before=until)
    planned = invitations.filter(pl.col("planned_at").is_not_null()).select("customer_id", "planned_at")
    private = contacts_path(settings.ledger.contacts, ledger.file, settings.out)
    people = None if tables is None else _people(invitations, tables, settings, private)
    read = partial(read_answers, before=until, timezone=settings.launch.timezone, since=launch.as_of, planned=planned, people=people)
    try:
        return replace(_check_mended(read([*places, *mended])), contacts_file=private if people else None)
    except InputError as error:
        known = list_answers(ledger, launch.name, before=until).height
        gone = not any(Path(place).exists() for place in places) and known > 0
        if not isinstance(error, NoAnswersError) and not gone:
            raise
        warnings = [Message("answers.no_new", "{problems}", problems="; ".join(error.problems), places=tuple(places))]
        if known:
            warnings.append(Message("answers.known_before", "answers that were read before count all the same: {count:,}", count=known))
    try:
        told = _check_mended(read(mended))
    except NoAnswersError:
        told = read([])
    return replace(told, warnings=(*warnings, *told.warnings), contacts_file=private if people else None)


def _check_mended(read: Answers) -> Answers:
    """Refuse a workbook of what was to be mended that cannot be read: the results with it are about to be replaced."""
    if read.rejects.filter(pl.col("file").str.ends_with(mending.FILE), pl.col("row").is_null()).is_empty():
        return read
    rule = "out: {file} in it cannot be read as a list of answers; save it as it was, or move it away"
    raise InputError(Message("answers.mended_unreadable", rule, file=mending.FILE))


def _people(invitations: pl.DataFrame, tables: Tables, settings: ReviewJob, private: Path) -> People:
    """Say whom agents may write of: by the shop's contacts, what they noted before, and the names of those who stand in groups anyway."""
    noted = read_contacts_file(private).drop_nulls("customer_id").select("customer_id", "name", phone_="phone")
    shop = [] if tables.contacts is None else [tables.contacts]
    invited = invitations.filter(status="planned").select("customer_id", "group", "region")
    own = invitations["agent"].drop_nulls().unique().to_list()
    own += [person.name for person in (*settings.plan.agents, *(settings.plan.starters or ())) if not isinstance(person, str)]
    if tables.customers is not None and tables.contacts is not None and "name" in tables.contacts.columns:
        staff = tables.customers.filter("staff").select("customer_id")
        own += tables.contacts.join(staff, on="customer_id")["name"].drop_nulls().to_list()
    ids = known_ids(tables, settings.review.as_of or date.max)
    return People(pl.concat([*shop, noted], how="diagonal"), invited, settings.launch, frozenset(map(fold_name, own)), ids)


def _day_sheets(pattern: str | None) -> list[str]:
    """List the folders of sheets that days have left so far."""
    return [] if pattern is None else sorted(folder for folder in glob.glob(pattern) if any(Path(folder).glob("*")))


def check_invited(ledger: Ledger, launch: LaunchRecord, read: Inputs, until: date) -> Inputs:
    """See that the launch's customers are the shop's; what is found of it goes to the tables' findings, and stops where most are not."""
    tables, invited = read.tables, list_invitations(ledger, launch.name, before=until)
    first = tables.orders.days[0]
    sure = tables.customers is not None or (first is not None and first < launch.as_of)
    _, found = recognize_invited(invited, known_ids(tables, until), since=launch.as_of, sure=sure)
    raise_stops(found)
    return replace(read, tables=replace(tables, findings=(*tables.findings, *found)))


def invited_now(ledger: Ledger, launch: LaunchRecord, read: Inputs, until: date) -> pl.DataFrame:
    """Give the launch's customers under the ids that the shop's tables have now, see `tables.INVITED`."""
    invited = list_invitations(ledger, launch.name, before=until)
    return recognize_invited(invited, known_ids(read.tables, until), since=launch.as_of, sure=False)[0]


def with_their_orders(ledger: Ledger, launch: LaunchRecord, answers: Answers, read: Inputs, until: date) -> Inputs:
    """Have the single orders of whom a launch is about, where all were aggregated as they were read: its people, and whom they brought."""
    given, friends = answers.answers, read.tables.referrals.filter(pl.col("time") >= launch.as_of)["friend_id"]
    people = [invited_now(ledger, launch, read, until)["customer_id"], friends, *given.select("customer_id", "written", "brought_by")]
    wanted = pl.concat([ids.alias("customer_id") for ids in people]).drop_nulls().unique()
    return replace(read, tables=replace(read.tables, orders=read.tables.orders.of(wanted)))


def take_answers(ledger: Ledger, launch: str, answers: Answers, read: Inputs) -> Inputs:
    """Record answers, but not those of strangers: an id that neither the plan nor the shop knows is a slip of the pen.

    The shop's customers may join without having been invited. Back come its tables with the answers' counts, fingerprints, rejects and
    warnings.
    """
    people = [frame["customer_id"] for frame in (read.tables.customers, read.tables.applicants) if frame is not None]
    shop = [read.tables.orders.ids(), *people]
    invitations = list_invitations(ledger, launch)
    planned = invitations.filter(pl.col("status").is_not_null())["customer_id"]
    known = pl.concat([invitations["customer_id"], *shop]).unique()
    # An id that was recognised may be, as written, that of another customer of the shop.
    as_written = pl.col("written").is_in(known.implode())
    given = answers.answers.with_columns(pl.when(as_written).then("written").otherwise("customer_id").alias("customer_id"))
    # Whom the shop calls otherwise since, the ledger knows by the old id.
    now = recognize_people(invitations["customer_id"], pl.concat(shop).unique())
    since = now != invitations["customer_id"]
    given = given.with_columns(pl.col("customer_id", "brought_by").replace(now.filter(since), invitations["customer_id"].filter(since)))
    stranger = ~pl.col("customer_id").is_in(known.implode())
    strange, good = given.filter(stranger), given.filter(~stranger)
    if answers.mended is not None:
        mended, origins = answers.mended
        strange = mending.unmended(strange, mended.filter(pl.col("customer_id").is_in(known.implode())), origins)
        strange = mending.at_origins(strange, origins)
    # Starters stand in the groups, and so on lists of members; nobody has invited them, and they count in nothing.
    customers = read.tables.customers
    staff = planned.clear() if customers is None else customers.filter("staff")["customer_id"]
    own = pl.col("customer_id").is_in(staff.implode()) & ~pl.col("customer_id").is_in(planned.implode())
    colleagues, good = good.filter(own), good.filter(~own)
    if answers.contacts_file is not None and not answers.noted.is_empty():  # first: what is read again then changes nothing
        keep_contacts(answers.contacts_file, answers.noted, read.tables.contacts)
    if not good.is_empty():
        record_answers(ledger, launch, good.with_columns(original(pl.col("source")).alias("source")))
    rejects = pl.concat([answers.rejects, strange.select(_REJECT).cast(dict(REJECTS))])  # type: ignore[arg-type]  # a schema is a mapping
    shop_has = [] if read.tables.contacts is None else [cells for cells in read.tables.contacts if is_contact_name(cells.name)]
    unknown = strange.select(*_AT, "answer", "answered_on", customer_id="written", why=pl.lit(str(UNKNOWN_CUSTOMER)), mended=False)
    to_mend = pl.concat([answers.to_mend, unknown], how="diagonal")
    to_mend = to_mend.unique(_AT, keep="first", maintain_order=True).sort("mended", *_AT)
    rejects = Contacts(known=[*answers.contacts.known, *shop_has]).without(rejects)
    rejected = rejects.filter(~pl.col("reason").is_in(BRINGERS)).height
    counts = {"rows": answers.rows, "open": answers.open, "rejected": rejected, "kept": good.height + answers.newcomers.height}
    counts |= {"dropped": colleagues.height} if colleagues.height else {}
    tables = replace(read.tables, rejects=pl.concat([read.tables.rejects, rejects]), reads={**read.tables.reads, "answers": counts})
    return replace(
        read,
        tables=tables,
        to_mend=to_mend,
        fingerprints={**read.fingerprints, "answers": answers.files},
        warnings=(
            *read.warnings,
            *map(_of_running, read.doubts),
            *answers.warnings,
            *_warnings(colleagues["customer_id"].n_unique(), strange.height, _other_launches(good, planned)),
            *_warn_to_mend(to_mend.filter(~pl.col("mended")).height),
        ),
    )


def _warnings(colleagues: int, strangers: int, foreign: tuple[str, ...]) -> list[Message]:
    warnings = []
    if colleagues:
        rule = "answers of the shop's own staff, whom nobody has invited: {count:,} people, who do not count"
        warnings.append(Message("answers.colleagues", rule, count=colleagues))
    if strangers:
        rule = "answers of ids that neither the plan nor the shop knows: {count:,}, see the rejects"
        warnings.append(Message("answers.strangers", rule, count=strangers))
    if foreign:
        rule = "most of whom these files name were not invited: {files}; are they of another launch?"
        warnings.append(Message("answers.other_launch", rule, files=foreign))
    return warnings


def _of_running(doubt: Message) -> Message:
    """Say of a launch that runs what is doubtful in its words: its date is not to be changed because orders end early."""
    if doubt.code != "dates.stale":
        return doubt
    rule = (
        "data.orders: the last order is of {last}, {since:,} days before {as_of}: who ordered since is not known; export the orders again"
    )
    return Message("answers.stale_orders", rule, **{name: doubt.facts[name] for name in ("last", "since", "as_of")})


def _warn_to_mend(count: int) -> list[Message]:
    rule = "rows of answers to be mended: {count:,}; fill in {file} among the results, and run this again"
    return [Message("answers.to_mend", rule, count=count, file=mending.FILE)] if count else []


def _other_launches(given: pl.DataFrame, planned: pl.Series) -> tuple[str, ...]:
    """Name files that are mostly about customers whom no plan of the launch had, and nobody brought."""
    here = pl.col("customer_id").is_in(planned.implode()) | pl.col("brought_by").is_not_null()
    shares = given.group_by("source").agg(here.mean().alias("share"), pl.len().alias("rows"))
    return tuple(sorted(shares.filter(pl.col("share") < 0.5, pl.col("rows") >= _ENOUGH)["source"]))


_REJECT = (
    pl.lit("answers").alias("table"),
    pl.col("source").alias("file"),
    pl.col("row"),
    pl.lit("customer_id").alias("column"),
    pl.col("written").alias("value"),
    pl.lit(str(UNKNOWN_CUSTOMER)).alias("reason"),
)
