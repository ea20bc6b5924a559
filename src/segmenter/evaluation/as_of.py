"""A shop as of a date: the one way from its tables to customers with a verdict, for a launch today and for any past date."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import date
from functools import reduce
from operator import or_

import polars as pl

from segmenter.contacts import Contacts, is_contact_name
from segmenter.errors import ConfigError, InputError
from segmenter.measures import measure
from segmenter.measures.categories import main_category
from segmenter.measures.past import Past, past_of
from segmenter.measures.sampling import Sampling
from segmenter.measures.timeline import with_purchases
from segmenter.messages import Message
from segmenter.regions import with_regions
from segmenter.roles import dated, with_roles
from segmenter.rules import Verdicts, apply_rules
from segmenter.scoring.seeds import with_seeds
from segmenter.settings import AnyScoring, CoreSettings, LearningSettings, LookalikeSettings, RegionRule, column_key
from segmenter.tables import LEVELS, PastLaunches, Tables, Terms, attribute_taken

FORECAST_SAMPLE = 60_000  # customers whose past says what a launch brings


@dataclass(frozen=True)
class Snapshot:
    """What a launch can know as of a date: every customer with a verdict, and the past up to then, where it is wanted."""

    verdicts: Verdicts
    past: Past | None
    warnings: tuple[Message, ...] = ()

    @property
    def customers(self) -> pl.DataFrame:
        """All customers, sorted by id: measures, region, verdict, and `timeline.PURCHASES` where they were asked for."""
        return self.verdicts.customers

    @property
    def eligible(self) -> pl.Series:
        """Whom the rules keep: a Boolean for each customer."""
        return self.verdicts.eligible


def terms_of(settings: CoreSettings) -> Terms:
    """Give what the measures of a launch depend on; InputError without `launch.as_of`."""
    if settings.launch.as_of is None:
        raise InputError(Message("launch.date_missing", "launch.as_of: is needed, as YYYY-MM-DD"))
    scoring, horizon = settings.scoring, horizon_of([settings.scoring], settings.launch.horizon_days)
    return Terms(settings.launch.as_of, scoring.half_life_days, settings.rules.spend.window_days, horizon)


def horizon_of(rankings: Iterable[AnyScoring], horizon_days: int) -> int | None:
    """Give the horizon where one of the rankings learns, and takes the measures that depend on it."""
    return horizon_days if any(isinstance(scoring, LearningSettings) for scoring in rankings) else None


def sampling_of(settings: CoreSettings) -> Sampling | None:
    """Say of how many customers a launch needs single orders; None where of none, or of all."""
    scoring = settings.scoring
    if isinstance(scoring, LookalikeSettings) and scoring.needs_every_order:
        return None
    if isinstance(scoring, LearningSettings):
        return Sampling(scoring.rows // scoring.cuts, settings.seed)
    return Sampling(FORECAST_SAMPLE, settings.seed) if settings.launch.target is not None else None


def launch_snapshot(tables: Tables, settings: CoreSettings, *, progress: Callable[[str], None] = lambda stage: None) -> Snapshot:
    """See the shop as its launch does: with categories where the plan asks for them, and what earlier launches did."""
    terms = terms_of(settings)
    progress("history")
    measures = _with_category(measure(tables, **asdict(terms)), tables, settings, terms.as_of)
    measures, warnings = _without_contacts(measures, tables, settings.rules.region)
    measures = with_roles(measures, tables, settings, terms.as_of, terms.half_life_days)
    past = _launch_past(tables, settings, terms)
    if past is not None and settings.scoring.needs_purchases:
        measures = with_purchases(measures, past.timeline, terms.as_of)
    progress("rules")
    measures, unknown = with_seeds(measures, tables, settings, terms.as_of)
    return Snapshot(_rule(measures, settings, tables.launches, tables.not_customers), past, (*warnings, *unknown))


def past_snapshot(past: Past, settings: CoreSettings, as_of: date, *, purchases: bool) -> Snapshot:
    """See the shop as of a past date; what models of repeat buying take only where it is asked for."""
    before = past.before(as_of)
    measures = with_roles(before.measures(as_of), dated(before.tables), settings, as_of, before.half_life_days)
    if purchases:
        measures = with_purchases(measures, before.timeline, as_of)
    if settings.scoring.takes_categories:
        measures = _with_category(measures, past.tables, settings, as_of)
    measures, _ = with_seeds(measures, past.tables, settings, as_of, earlier=True)
    return Snapshot(_rule(measures, _without_stop(settings)), before)


def _rule(
    measures: pl.DataFrame, settings: CoreSettings, launches: PastLaunches | None = None, not_customers: tuple[str, ...] = ()
) -> Verdicts:
    precedents = None if launches is None else launches.customers
    planned = () if launches is None or launches.running is None else launches.running["customer_id"]
    return apply_rules(with_regions(measures, settings.rules.region), settings.rules, settings.launch, precedents, not_customers, planned)


def _without_stop(settings: CoreSettings) -> CoreSettings:
    """Leave out whom a rule about regions could not decide on in the past, instead of stopping what looks at it."""
    region = settings.rules.region
    if region.unknown != "stop":
        return settings
    rules = settings.rules.model_copy(update={"region": region.model_copy(update={"unknown": "remove"})})
    return settings.model_copy(update={"rules": rules})


def _launch_past(tables: Tables, settings: CoreSettings, terms: Terms) -> Past | None:
    """Give the past that the ranking and the forecast learn from: of all customers, or of as many as it takes."""
    if not settings.scoring.needs_past and settings.launch.target is None:
        return None
    few = sampling_of(settings)
    most = None if few is None else few.max_customers
    horizon = terms.horizon_days
    return past_of(tables, terms.as_of, terms.half_life_days, terms.window_days, horizon, max_customers=most, seed=settings.seed)


def asks_for_topics(settings: CoreSettings, measures: pl.DataFrame) -> bool:
    """Tell whether topics are to be found: an attribute of that name is the customers' own."""
    return settings.topics_asked is not None and "topic" not in measures.columns


def _with_category(measures: pl.DataFrame, tables: Tables, settings: CoreSettings, as_of: date) -> pl.DataFrame:
    """Add what customers spent most in, where the plan asks for it; an attribute of that name is the customers' own."""
    key = column_key(settings.plan, "category")
    ours = {"topic": settings.topics.use, "topic_share": asks_for_topics(settings, measures)}
    if taken := [name for name, added in ours.items() if added and name in measures.columns]:
        raise InputError(attribute_taken(taken))
    if tables.spending is None and not settings.topics.events and asks_for_topics(settings, measures):
        sentence = (
            "{key}: topics are made of what customers buy, and the orders have no category; name their column with "
            "data.orders.columns.category=..., or kinds of events with topics.events=[...]"
        )
        raise ConfigError(Message("evaluation.no_topics", sentence, key=settings.topics_asked))
    wanted = key is not None or (tables.spending is not None and settings.scoring.takes_categories)
    if not wanted or "category" in measures.columns:
        return measures
    if tables.spending is None:
        sentence = "{key}: category: the orders have no such column; name theirs with data.orders.columns.category=..."
        raise ConfigError(Message("evaluation.no_category", sentence, key=key))
    return measures.join(main_category(tables.spending, as_of), on="customer_id", how="left", maintain_order="left")


def _without_contacts(measures: pl.DataFrame, tables: Tables, rule: RegionRule) -> tuple[pl.DataFrame, tuple[Message, ...]]:
    """Take of places that are contacts, as where columns were mistaken, what they say of a place only: regions stand in all results."""
    named = [] if tables.contacts is None else [name for name in tables.contacts.columns if is_contact_name(name)]
    personal = Contacts(known=[] if tables.contacts is None else [tables.contacts[name] for name in named])
    contacts = {name: personal.among(measures[name]) for name in LEVELS}
    if not any(contact.any() for contact in contacts.values()):
        return measures, ()
    shown = with_regions(measures, rule)
    left = {name: contact & (shown[name].eq_missing(measures[name]) | personal.among(shown[name])) for name, contact in contacts.items()}
    some = reduce(or_, contacts.values())
    places = {name: pl.when(~some).then(measures[name]).when(~left[name]).then(shown[name]) for name in LEVELS}
    measures = measures.with_columns(place.alias(name) for name, place in places.items())
    if not (count := reduce(or_, left.values()).sum()):
        return measures, ()
    sentence = "customers whose province or city looks like a contact: {count:,}; their region counts as unknown"
    return measures, (Message("evaluation.contact_places", sentence, count=count),)
