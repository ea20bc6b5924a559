"""Whom a row of a list means that has no id: by phone, by name, by the remark under which an agent saved the contact.

Here, at the edge, phones and names become ids; no frame beyond has any but what is to be mended.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import polars as pl

from segmenter.contacts import is_contact_name
from segmenter.settings import LaunchSettings
from segmenter.sources.answer_words import aside_columns
from segmenter.sources.contacts_file import NOTED
from segmenter.sources.expressions import ROW
from segmenter.sources.phones import country_of, read_phones
from segmenter.sources.reach import means_of
from segmenter.sources.reject_reasons import EMPTY, NOBODY, SEVERAL
from segmenter.vocabulary import vocabulary

WHO = pl.Schema({"source": pl.String(), "row": pl.Int64(), "name": pl.String(), "phone": pl.String(), "new_phone": pl.String()})
COLLEAGUE = "colleague"
# Whom agents added to a sheet: ``number`` is their phone in one form, by which they are told apart; without an answer nobody has called.
ADDED = pl.Schema(
    {
        **{name: pl.String() for name in ("source", "name", "phone", "number", "answer")},
        **{"row": pl.Int64(), "answered_on": pl.Date(), "hour": pl.Int64(), "call_on": pl.Date(), "attempts": pl.Int64()},
    }
)
_LONGEST = 20  # characters of a column's name: a longer one is a sentence
_KNOWN = vocabulary("people")
_PATTERNS = {key: re.compile(_KNOWN[key]) for key in ("names", "others", "members", "invited", "nicknames", "group", "between")}


@dataclass(frozen=True)
class Whose:
    """The columns of a list that tell whose its rows are, or will be from now on."""

    phones: tuple[str, ...]
    names: tuple[str, ...]
    new_phones: tuple[str, ...]
    group: str | None
    bringers: tuple[str, ...] = ()  # columns of who brought them

    def __bool__(self) -> bool:
        return bool(self.phones or self.names)


@dataclass(frozen=True)
class People:
    """Whom a list may mean: the shop's contacts and what agents wrote of them, and the launch's people, who come first.

    The contacts have ``customer_id``, ``name`` and contact columns as text; the planned ``customer_id``, ``group`` and ``region``.
    """

    contacts: pl.DataFrame
    planned: pl.DataFrame
    launch: LaunchSettings
    colleagues: frozenset[str] = frozenset()  # names, folded: agents and starters stand in the groups too
    ids: pl.Series | None = None  # of all customers, where more are known than the contacts have

    @cached_property
    def groups(self) -> dict[str, str | None]:
        """Give the group of each of the launch's people."""
        return dict(self.planned.select("customer_id", "group").rows())

    @cached_property
    def group_names(self) -> dict[str, str]:
        """Give the groups with their names as `fold_name` gives them."""
        return {group: fold_name(group) for group in {*self.groups.values()} if group}

    @cached_property
    def phones(self) -> pl.DataFrame:
        """Give ``key`` and ``customer_id`` of all phones."""
        columns = [name for name in self.contacts.columns if name not in ("customer_id", "name") and means_of(name) in ("phone", None)]
        country = country_of(self.launch)
        return self._keys({name: read_phones(self.contacts[name], country)["number"].cast(pl.String) for name in columns})

    @cached_property
    def names(self) -> pl.DataFrame:
        """Give ``key`` and ``customer_id`` of all names, and of the remarks that the call sheets gave."""
        texts = [name for name in self.contacts.columns if name == "name" or (name != "customer_id" and _is_name(name))]
        keys = self._keys({name: _fold(self.contacts[name]) for name in texts})
        if "name" not in self.contacts.columns:
            return keys
        named = self.planned.join(self.contacts.drop_nulls("name").select("customer_id", "name"), on="customer_id")
        parts = [pl.col("region").str.replace_all("/", ""), pl.col("name"), pl.lit(self.launch.shop, dtype=pl.String)]
        remarks = named.select(key=pl.concat_str(parts, separator="-", ignore_nulls=True), customer_id="customer_id")
        return pl.concat([keys, remarks.with_columns(_fold(remarks["key"]))])

    def _keys(self, columns: dict[str, pl.Series]) -> pl.DataFrame:
        none = pl.DataFrame(schema={"key": pl.String, "customer_id": pl.String})
        parts = [pl.DataFrame({"key": keys, "customer_id": self.contacts["customer_id"]}) for keys in columns.values()]
        return pl.concat([none, *parts]).filter(pl.col("key").str.len_chars() > 1)

    def choose(self, candidates: Collection[str], group: str | None) -> str | None:
        """Choose the one of the launch's people, or else of the shop's; of several the one in the group, where one says which."""
        invited = [who for who in candidates if who in self.groups]
        here = [who for who in invited if group is not None and self.groups[who] == group]
        return next((part[0] for part in (invited, here, [] if invited else list(candidates)) if len(part) == 1), None)


def columns_of_people(header: Collection[str], taken: Collection[str]) -> Whose:
    """Find the columns by which people without an id may be recognised, beside those that are something else."""
    new, by = aside_columns(header, "new_phone"), [name for name in aside_columns(header, "brought_by") if name not in taken]
    left = [name for name in header if name not in (*taken, *new, *by) and len(name) <= _LONGEST and not name.startswith("__")]
    phones = [name for name in left if means_of(name) == "phone" and is_contact_name(name)]
    names = [name for name in left if name not in phones and _is_name(name)]
    group = next((name for name in left if _PATTERNS["group"].search(_plain(name))), None)
    return Whose(tuple(phones), tuple(names), tuple(new), group, tuple(by))


def calls_itself_members(*texts: str, columns: Collection[str] = ()) -> bool:
    """Tell whether what a list is called, or a column of it, says that it has a group's members; not those who are to be called."""
    if any(_PATTERNS["invited"].search(_plain(text)) for text in texts):
        return False
    return any(_PATTERNS["members"].search(_plain(text)) for text in (*texts, *columns))


def is_bare(header: Collection[str], whose: Whose) -> bool:
    """Tell whether a list has nicknames, and perhaps phones, and nothing else."""
    nick = any(_PATTERNS["nicknames"].search(_plain(name)) for name in whose.names)
    return nick and {*header} <= {*whose.names, *whose.phones, whose.group or "", *whose.bringers}


def who_is_where(frame: pl.DataFrame, whose: Whose, source: str) -> pl.DataFrame:
    """Give the name and the phones that stand in each row, see `WHO`: for those who mend, and for the sheets to come."""

    def first(columns: tuple[str, ...]) -> pl.Expr:
        return pl.coalesce(pl.lit(None, dtype=pl.String), *(_cell(name) for name in columns))

    parts = {"name": first(whose.names), "phone": first(whose.phones), "new_phone": first(whose.new_phones)}
    return frame.select(source=pl.lit(source), row=ROW, **parts).cast(dict(WHO.items()))


def recognize_rows(frame: pl.DataFrame, whose: Whose, people: People, group: str | None) -> tuple[pl.Series, pl.Series]:
    """Recognise a list's rows: their ids, and for each what told it (``phone``, ``name``, ``colleague``) or why nothing did.

    A phone says more than a name: where it is nobody's, a name alone does not say who it is.
    """
    numbers = [read_phones(frame.select(_cell(name)).to_series(), country_of(people.launch))["number"] for name in whose.phones]
    texts = [frame.select(_cell(name)).to_series() for name in whose.names]
    by_phone = _look_up(people.phones, {str(number) for column in numbers for number in column.drop_nulls().unique()})
    folded = {text: list(name_readings(text)) for column in texts for text in column.drop_nulls().unique()}
    by_name = _look_up(people.names, {key for keys in folded.values() for key in keys})
    known = set(people.groups.values()) - {None}
    of_row = [None] * frame.height if whose.group is None else frame.select(_cell(whose.group)).to_series().to_list()
    found: list[tuple[str | None, str | None]] = []
    for at in range(frame.height):
        phones = {str(column[at]) for column in numbers if column[at] is not None}
        names = [folded[column[at]] for column in texts if column[at] is not None]
        here = of_row[at] if of_row[at] in known else group
        found.append(_recognize(phones, names, by_phone, by_name, people, here))
    ids, how = zip(*found, strict=True) if found else ((), ())
    return pl.Series("customer_id", ids, pl.String), pl.Series("how", how, pl.String)


def _recognize(
    phones: set[str],
    names: list[list[str]],
    by_phone: dict[str, set[str]],
    by_name: dict[str, set[str]],
    people: People,
    group: str | None,
) -> tuple[str | None, str | None]:
    if not phones and not names:
        return None, str(EMPTY)
    called = [next((by_name[key] for key in keys if key in by_name), set[str]()) for keys in names]
    named = set.union(*called) if called else set[str]()
    if phones:
        having = set.union(*(by_phone.get(phone, set()) for phone in phones))
        one = people.choose(sorted(having), group) or people.choose(sorted(having & named), group)
        how = "phone"
    else:
        having, how = named, "name"
        # Of several columns of names the one that says most counts: a remark has the region too.
        one = next((who for part in called if (who := people.choose(sorted(part), group)) is not None), None)
        if len({who for part in called if (who := people.choose(sorted(part), group)) is not None}) > 1:
            one = None
    if one is not None:
        return one, how
    if any(key in people.colleagues for keys in names for key in keys[:1]):
        return None, COLLEAGUE
    return None, str(SEVERAL if having else NOBODY)


def _look_up(keys: pl.DataFrame, wanted: set[str]) -> dict[str, set[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for key, who in keys.filter(pl.col("key").is_in(list(wanted))).iter_rows() if wanted else ():
        found[key].add(who)
    return dict(found)


def name_readings(text: str) -> Iterator[str]:
    """Give how a name may stand among those known: whole, or as a part of a remark such as region, name and shop."""
    yield fold_name(text)
    parts = [fold_name(part) for part in _PATTERNS["between"].split(text)]
    yield from (part for part in parts if len(part) > 1)


def fold_name(text: str) -> str:
    """Bring a name into one form."""
    return str(_fold(pl.Series([text]))[0])


def _fold(names: pl.Series) -> pl.Series:
    return names.str.normalize("NFKC").str.to_lowercase().str.replace_all(r"[\s\p{Cf}\p{Cc}]", "")


def _cell(name: str) -> pl.Expr:
    text = pl.col(name).cast(pl.String).str.replace(r"\.0$", "").str.strip_chars()
    return pl.when(text != "").then(text)


def _is_name(column: str) -> bool:
    plain = _plain(column)
    return _PATTERNS["names"].search(plain) is not None and _PATTERNS["others"].search(plain) is None


def _plain(text: str) -> str:
    return re.sub(r"[_\s]+", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)).strip().lower()


def noted_contacts(rows: pl.DataFrame, who: pl.DataFrame, people: People, before: date) -> tuple[pl.DataFrame, int]:
    """Give what the sheets to come should know, see `contacts_file.NOTED`, and how many new phones are none.

    A new phone; the phone of a customer of whom the shop has none; and that of somebody whom an agent added and nobody knows.
    """
    rows = rows.filter((pl.col("answered_on") < before).fill_null(value=True))
    day = pl.col("answered_on").fill_null(before - timedelta(days=1))
    rows = rows.select("source", "row", "customer_id", "how", noted_on=day, dated=pl.col("answered_on").is_not_null())
    told = rows.join(who, on=["source", "row"], maintain_order="left")
    country = country_of(people.launch)
    told = told.with_columns(new=read_phones(told["new_phone"], country)["number"], old=read_phones(told["phone"], country)["number"])
    known, lacks = pl.col("customer_id").is_not_null(), ~pl.col("customer_id").is_in(people.phones["customer_id"].unique().implode())
    stranger = ~known & (pl.col("how") == str(NOBODY)) & (pl.col("new").is_not_null() | pl.col("old").is_not_null())
    added = (known & lacks & pl.col("old").is_not_null()) | stranger
    phone = pl.when(pl.col("new").is_not_null()).then("new_phone").when(added).then("phone")
    noted = told.with_columns(phone=phone).filter(phone.is_not_null() & (known | stranger))
    taken = noted.filter(known)["phone"].implode()
    noted = noted.filter(known | ~pl.col("phone").is_in(taken))
    wrong = told.filter(pl.col("new_phone").is_not_null() & pl.col("new").is_null()).height
    return noted.select(NOTED.names()), wrong


def list_added(rows: pl.DataFrame, dated: pl.DataFrame, mended: pl.DataFrame, who: pl.DataFrame, people: People) -> pl.DataFrame:
    """List whom agents added by hand to sheets of the launch, with a phone that is nobody's, and what came of each call; see `ADDED`.

    `rows` are all that were read, `dated` those with an answer; who was `mended` is known by now.
    """
    sheets = rows.filter(pl.col("how").is_null(), pl.col("customer_id").is_in(list(people.groups)))["source"].unique()
    strange = pl.col("source").is_in(sheets.implode()) & (pl.col("how") == str(NOBODY))
    at = ["source", "row"]
    told = pl.concat(
        [dated.filter(strange, pl.col("answer").is_not_null()), rows.filter(strange).join(dated, on=at, how="anti")], how="diagonal"
    )
    told = told.join(mended, on=at, how="anti").join(who, on=at).with_columns(phone=pl.coalesce("new_phone", "phone"))
    told = told.with_columns(number=read_phones(told["phone"], country_of(people.launch))["number"].cast(pl.String))
    return told.drop_nulls("number").select(ADDED.names()).cast(dict(ADDED.items()))


def date_members(dated: pl.DataFrame, sources: Collection[str], before: date) -> pl.DataFrame:
    """Date who stands in a list of members that does not say since when: not before what else was told of them, a refusal apart."""
    undated = pl.col("source").is_in(list(sources)) & pl.col("said_on").is_null()
    later = dated.filter(
        ~undated, pl.col("answered_on") < before, ~pl.col("answer").is_in(["refused", "refused_for_good"]).fill_null(value=True)
    )
    latest = later.group_by("customer_id").agg(latest=pl.col("answered_on").max())
    found = dated.join(latest, on="customer_id", how="left", maintain_order="left")
    moved = pl.when(undated).then(pl.max_horizontal("answered_on", "latest")).otherwise("answered_on")
    return found.with_columns(answered_on=moved).drop("latest")


def explain_unknown(wrong: pl.DataFrame, read: pl.DataFrame) -> pl.DataFrame:
    """Say of rejects without an id why nobody was recognised."""
    why = read.filter(pl.col("how").is_in([str(NOBODY), str(SEVERAL)])).select("how", file="source", row="row")
    found = wrong.join(why, on=["file", "row"], how="left", maintain_order="left")
    reason = pl.when(pl.col("reason") == str(EMPTY)).then(pl.coalesce("how", "reason")).otherwise("reason")
    return found.with_columns(reason=reason).drop("how")
