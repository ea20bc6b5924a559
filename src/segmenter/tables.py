"""The canonical tables. Times are local to ``launch.timezone`` and carry no zone, amounts are Int64 minor units, ids are text."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import get_args

import polars as pl

from segmenter.findings import Finding
from segmenter.messages import Message
from segmenter.settings.types import Channel

TIME = pl.Datetime("us")
CHANNELS: tuple[Channel, ...] = get_args(Channel)
NOT_KNOWN = "not_known"  # a status: an agent added them by hand, and the shop does not have them
# What came of an invitation, from what says least; where there is nothing, nobody has called yet.
ANSWERS = ("not_reached", "wrong_number", "call_back", "thinking", "agreed", "refused", "refused_for_good", "joined")
REACHED, DECIDED = ANSWERS[2:], ANSWERS[5:]  # who spoke to somebody; and knew their mind
EPOCH = date(1970, 1, 1)
DAY = 86_400_000_000  # microseconds
LEVELS = ("province", "city", "district")  # of a place
# How the last known levels of a customer's place stand to each other: the number `APART` is how the city does, plus `DISTRICTS` times how
# the district does. TOGETHER: it came with what stands above it. The city is OLDER than the province and came with another one or none, or
# NEWER and came alone. The district came TOGETHER with the city, or else is OLDER than it; or NEWER than both; or newer than the city and
# came with the province or before it.
APART = "places_apart"
TOGETHER, OLDER, NEWER, WITH_PROVINCE, BEFORE_PROVINCE = range(5)
DISTRICTS = 3
LATEST = 7_289_654_400_000_000  # midnight of 2201-01-01 in microseconds: what is not before it is no time
# What databases and spreadsheets write where there is nothing.
NOTHING = ("", "null", "\\n", "none", "nan", "<na>", "n/a", "#n/a", "na", "-", "--", "/")

ORDERS = pl.Schema(
    {
        "customer_id": pl.String(),
        "order_id": pl.String(),  # null where the shop has none
        "time": TIME,  # when it was placed: its first line
        "amount": pl.Int64(),  # what it adds to net spend: negative for a refund, 0 for an order refunded whole
        "refund": pl.Int64(),  # what was given back, ≥ 0
        "is_order": pl.Boolean(),  # false: a refund or cancellation, which counts in neither orders nor recency
        "province": pl.String(),  # or country; as found
        "city": pl.String(),
        "district": pl.String(),
    }
)
SPENDING = pl.Schema(  # one row per row of the orders' source
    {
        "customer_id": pl.String(),
        "time": TIME,
        "amount": pl.Int64(),  # what it adds to net spend
        "category": pl.String(),  # of what was bought; as found
    }
)
CUSTOMERS = pl.Schema(  # attributes follow, as text
    {
        "customer_id": pl.String(),
        "province": pl.String(),
        "city": pl.String(),
        "district": pl.String(),
        "joined": pl.Date(),
        "do_not_contact": pl.Boolean(),
        "blocked": pl.Boolean(),
        "staff": pl.Boolean(),
    }
)
# How customers can be reached, and no contact itself.
REACH = pl.Schema(
    {
        "has_mobile": pl.Boolean(),
        "has_landline": pl.Boolean(),
        "has_foreign_phone": pl.Boolean(),
        "has_wechat": pl.Boolean(),
        "has_email": pl.Boolean(),
        "has_other_contact": pl.Boolean(),
        "shared_phone": pl.Int64(),  # the same number for those with one phone; null for who has one alone, or none
    }
)
EVENTS = pl.Schema({"customer_id": pl.String(), "kind": pl.String(), "time": TIME})
TROUBLES = COMPLAINT, CLOSED, VIOLATION = ("complaint", "complaint_closed", "violation")  # kinds of events that are no activity
VISITS = pl.Schema({"time": TIME, "uv": pl.Int64(), "pv": pl.Int64()})  # visitors and page views of an hour, or of a day, from then on
REFERRALS = pl.Schema({"customer_id": pl.String(), "friend_id": pl.String(), "time": TIME})
TIES = pl.Schema(  # each pair once
    {
        "from_id": pl.String(),  # who may bring
        "to_id": pl.String(),  # whom; of both some may be no customers
        "weight": pl.Float64(),  # ≥ 0
    }
)
APPLICANTS = pl.Schema(  # who answered an open call
    {
        "customer_id": pl.String(),
        "province": pl.String(),
        "city": pl.String(),
        "district": pl.String(),
        "joined": pl.Date(),  # when they applied; null where that is not known
        "applied_by": pl.String(),  # one of `CHANNELS`, or null
    }
)
PRECEDENTS = pl.Schema(  # one row per customer of earlier launches, as of the date
    {
        "customer_id": pl.String(),
        "last_invited": pl.Date(),  # to another launch, within rules.cooloff_days; else null
        "invitations": pl.Int64(),  # other launches within rules.invitations.days
        "member": pl.Boolean(),  # of the launch's community
        "refused": pl.Boolean(),  # for good, or this launch itself, which is planned again
        "held_out_until": pl.Date(),  # by another launch that is running; else null
        "agreed_on": pl.Date(),  # to another launch of the community, where that was their last word; else null
        "refused_on": pl.Date(),  # another launch, where that was their last word
        "wrong_number_on": pl.Date(),  # where their last call, to any launch, found that
    }
)
INVITED = pl.Schema(  # one row per launch and customer, as `ledger.list_invitations` gives it; the launch that is planned among them
    {
        "launch": pl.String(),
        "community": pl.String(),
        "as_of": pl.Date(),
        "ends_on": pl.Date(),
        "customer_id": pl.String(),
        "in_plan": pl.Boolean(),
        "status": pl.String(),  # planned, held_out; null for who joined unasked
        "planned_at": pl.Date(),
        "wave": pl.Int64(),
        "group": pl.String(),
        "agent": pl.String(),
        "score": pl.Float64(),
        "stratum": pl.String(),
        "region": pl.String(),
        "segment": pl.String(),
        "channel": pl.String(),  # by which they were invited, or by what a list of answers says: `CHANNELS`; null in old ledgers
        "brings": pl.Float64(),  # how many people a key user by reach was expected to bring, themselves apart; null for all others
        "answer": pl.String(),  # see `ANSWERS`; null where nobody has called yet
        "answered_on": pl.Date(),
        "reason": pl.String(),
        "source": pl.String(),
        "call_on": pl.Date(),  # when to call again, where the answer says it
        "hour": pl.Int64(),  # of the day, 0 to 23, in which the answer was given; null where that is not told
        "calls": pl.Int64(),  # days on which there was an answer; more where an agent wrote so
        "missed": pl.Int64(),  # of these in vain, since they were reached last; all of them where they never were
        "brought_by": pl.String(),  # the id of who brought them into the group, by the last answer that says it; null where none does
    }
)


def is_standing() -> pl.Expr:
    """Say which answers stand: of what a file said of a customer's day that which was read last, as an agent may have corrected it."""
    return pl.col("number") == pl.col("number").max().over("launch", "customer_id", "answered_on", "source")


def by_time() -> list[pl.Expr]:
    """Order answers by when they were given; where that says no more, the one that says most comes last, whatever was read first."""
    strength = pl.col("answer").replace_strict(ANSWERS, range(len(ANSWERS)), return_dtype=pl.Int64)
    return [pl.col("answered_on"), pl.col("hour"), strength, *map(pl.col, ("reason", "call_on", "attempts", "source"))]


REJECTS = pl.Schema(
    {
        "table": pl.String(),
        "file": pl.String(),  # null where the table is no file
        "row": pl.Int64(),  # as an editor or a spreadsheet numbers it, where the record begins; of Parquet and queries, from 1
        "column": pl.String(),  # of the source
        "value": pl.String(),
        "reason": pl.String(),
    }
)
# While tables are read: what each reject is worth, and whether its row is kept all the same.
REJECTED = pl.Schema({**REJECTS, "amount": pl.Int64(), "day": pl.Date(), "kept": pl.Boolean()})


@dataclass(frozen=True)
class Terms:
    """What a summary depends on besides the orders."""

    as_of: date  # orders at or after its midnight change nothing
    half_life_days: float  # after so many days an order weighs half in `decayed_spend`; > 0
    window_days: int | None  # what `spend_window` counts; None for all time
    horizon_days: int | None = None  # what a ranking looks ahead; where it is given, there are `measures.spec.LEARNING` too

    @property
    def today(self) -> int:
        """The as-of date in days since 1970."""
        return (self.as_of - EPOCH).days


@dataclass(frozen=True)
class Summary:
    """Orders aggregated."""

    frame: pl.DataFrame  # see `measures.spec.summary_schema`: one row per customer with rows before the as-of date, sorted by id
    terms: Terms  # what it was computed for
    first: date | None  # the days of the first and the last row, those after the as-of date included; None without rows
    last: date | None


class Orders(ABC):
    """A shop's orders, whatever is behind them: every single order, or what they come to and those of some customers."""

    @property
    @abstractmethod
    def days(self) -> tuple[date | None, date | None]:
        """The days of the first and the last row, those after the as-of date included; None without rows."""

    @property
    @abstractmethod
    def halvings(self) -> int:
        """The single orders are those of a half to the power of so many of all customers."""

    @property
    @abstractmethod
    def has_single(self) -> bool:
        """Whether `single` has an answer."""

    @abstractmethod
    def single(self) -> pl.DataFrame:
        """Give the single orders as `ORDERS`: of all customers, or of some; an InputError where they were not kept."""

    @abstractmethod
    def summary(self, terms: Terms) -> Summary:
        """Give what they come to; a ValueError where only that of other terms is known."""

    @abstractmethod
    def customers(self, before: date) -> pl.Series:
        """Give the ids of who had an order or a refund before a date."""

    @abstractmethod
    def totals(self, before: date) -> pl.DataFrame:
        """Give ``orders`` and ``spend`` (net) of each ``customer_id`` before a date, in no order."""

    @abstractmethod
    def of(self, customers: pl.Series) -> "Orders":
        """Give the same orders with the single ones of these customers at least, where they can be had."""

    @abstractmethod
    def ids(self) -> pl.Series:
        """Give the ids of all who are known to have a row, at any date, in no order and some more than once."""

    @abstractmethod
    def last_order(self, before: date) -> date | None:
        """Give the day of the last order, refunds apart, before a date."""


@dataclass(frozen=True)
class PastLaunches:
    """What the ledger knows of other launches."""

    customers: pl.DataFrame  # see `PRECEDENTS`; who is not in it was in no launch
    invited: pl.DataFrame  # see `INVITED`
    running: pl.DataFrame | None = None  # see `INVITED`: the plan of the launch itself, where it began before the as-of date


NO_FILES = pl.Schema({"file": pl.String(), "first": pl.Date(), "last": pl.Date(), "rows": pl.Int64()}).to_frame()


@dataclass(frozen=True)
class OrdersProfile:
    """Totals of the order rows before the as-of date that were kept, for who looks at an input before a launch."""

    by_day: pl.DataFrame  # ``day`` (Date), ``rows``, ``amount`` (net, minor units); sorted
    by_status: pl.DataFrame  # ``status``, ``rows``, ``amount``, ``taken_for`` (order, refund, left_out); most money first
    by_file: pl.DataFrame = field(
        default_factory=NO_FILES.clone
    )  # ``file``, its ``first`` and ``last`` day, ``rows``; where there are several


NO_PROFILE = OrdersProfile(
    pl.Schema({"day": pl.Date(), "rows": pl.Int64(), "amount": pl.Int64()}).to_frame(),
    pl.Schema({"status": pl.String(), "rows": pl.Int64(), "amount": pl.Int64(), "taken_for": pl.String()}).to_frame(),
)


@dataclass(frozen=True)
class Tables:
    """What a shop has, in canonical form."""

    orders: Orders  # without rows where the shop has none
    customers: pl.DataFrame | None  # see `CUSTOMERS`; None where the customers are those with orders
    events: pl.DataFrame  # see `EVENTS`; empty where the shop has none
    referrals: pl.DataFrame
    contacts: pl.DataFrame | None  # `customer_id`, `name` and the contact columns as text: for the call sheets and nothing else
    rejects: pl.DataFrame
    # For each table: rows read, `filtered` by `where`, `dropped` as they repeat others, `later` than the as-of date, `rejected`, `kept`.
    reads: Mapping[str, Mapping[str, int]]
    launches: PastLaunches | None = None  # where there is a ledger with any
    applicants: pl.DataFrame | None = None  # see `APPLICANTS`, of before the as-of date
    reach: pl.DataFrame | None = None  # `customer_id` and `REACH`, where the customers have contacts
    spending: pl.DataFrame | None = None  # see `SPENDING`: where the orders have categories and they were asked for
    profile: OrdersProfile = NO_PROFILE
    findings: tuple[Finding, ...] = ()  # what was found while they were read
    visits: pl.DataFrame | None = None  # see `VISITS`, of before the as-of date
    ties: pl.DataFrame | None = None  # see `TIES`, of before the as-of date
    new_phones: pl.DataFrame | None = None  # ``customer_id`` and ``noted_on``: of whom agents noted another phone, before the as-of date
    not_customers: tuple[str, ...] = ()  # ids that stand for nobody
    seeds: pl.Series | None = None  # ids of the customers whose like is looked for, as they are written in their file


def attribute_taken(names: Iterable[str]) -> Message:
    """Say that attributes of the customers are called as columns of our own."""
    sentence = "data.customers.attributes: {names}: so segmenter calls a column of its own; rename it in the source"
    return Message("measures.attribute_taken", sentence, names=tuple(names))
