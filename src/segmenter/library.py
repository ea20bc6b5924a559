"""The library's one call: a launch on a program's own tables."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from os import PathLike
from pathlib import Path
from typing import Generic, cast

import narwhals as nw
import polars as pl
import polars.selectors as cs
from narwhals.typing import IntoDataFrame, IntoLazyFrame
from typing_extensions import TypeVar

from segmenter.defaults import launch_settings
from segmenter.errors import InputError
from segmenter.evaluation.as_of import sampling_of, terms_of
from segmenter.guesses.frame_guess import guess_frames
from segmenter.job import say_weights, today_of
from segmenter.launch_plan import LaunchPlan
from segmenter.launch_stages import plan_launch
from segmenter.loader import read_tables
from segmenter.measures.spec import MONEY
from segmenter.messages import Message
from segmenter.money import to_units
from segmenter.report.explanation_report import explanation_report
from segmenter.report.language import translate
from segmenter.report.launch_report import launch_report
from segmenter.report.notebook import Told, launch_cell
from segmenter.report.page import render_page
from segmenter.report.plan_words import in_words
from segmenter.report.ranking_words import ranking_sentence
from segmenter.segments.profiles import MONEY_OF_PROFILES
from segmenter.settings import FrameLaunch
from segmenter.sources.data_frames import read_frames
from segmenter.sources.inputs import Inputs
from segmenter.sources.results_folder import LaunchResults, explain_some

FrameT = TypeVar("FrameT", bound=IntoDataFrame, default=pl.DataFrame)
_Table = IntoDataFrame | IntoLazyFrame | None


def launch(
    orders: FrameT | IntoLazyFrame | None = None,
    customers: _Table = None,
    events: _Table = None,
    referrals: _Table = None,
    *,
    applicants: _Table = None,
    ties: _Table = None,
    as_of: date | str | None = None,
    columns: Mapping[str, Mapping[str, str]] | None = None,
    **settings: object,
) -> "Launch[FrameT]":
    """Decide whom to invite, from data frames: `segmenter launch` without files, ledger and MLflow.

    Parameters
    ----------
    orders, customers, events, referrals, applicants, ties : table, optional
        Those that the shop has, orders or customers at least: data frames of Polars (lazy ones, too), pandas or PyArrow, relations of
        DuckDB, or whatever else Narwhals knows. They stay as they are. Levels of a pandas index count as columns where they have names.
    as_of : date or str, optional
        What happened strictly before its midnight counts; None is today in the launch's time zone.
    columns : mapping of str to mapping of str to str, optional
        For each table its fields and the columns, or SQL, that they are, ``{"orders": {"amount": "Quantity * Price"}}``. Without, a field
        is the column of its own name; a table that lacks a needed one is guessed as `segmenter init` would, which a warning says.
    **settings : object
        Keys of the config, with ``__`` for the dot: ``rules__spend__min=500``, ``scoring="rfm"``, ``lang="zh"``.

    Returns
    -------
    Launch
        What was decided; its tables are of the orders' kind: pandas, PyArrow, and else Polars.

    Raises
    ------
    ConfigError
        A setting is wrong: all that are, at once.
    InputError
        The tables cannot be used as they are.

    Examples
    --------
    >>> orders = pl.DataFrame({"customer_id": ["a", "b"], "time": ["2026-06-30", "2026-06-01"], "amount": [12.5, 7.5]})
    >>> launch(orders, as_of="2026-07-01", rules__spend__min=10).invite_list["customer_id"].to_list()
    ['a']
    """
    tables = {"orders": orders, "customers": customers, "events": events, "referrals": referrals, "applicants": applicants, "ties": ties}
    read = read_frames({name: table for name, table in tables.items() if table is not None})
    if not {"orders", "customers"} & set(read):
        raise InputError(Message("frames.none", "orders: is needed (or customers, where there are no sales yet)"))
    named = ((table, *field) for table, fields in (columns or {}).items() for field in fields.items())
    given: dict[str, object] = {f"data.{table}.columns.{field}": column for table, field, column in named}
    given |= {key.replace("__", "."): value for key, value in settings.items()} | ({} if as_of is None else {"launch.as_of": as_of})
    guessed = guess_frames({name: table.frame for name, table in read.items()}, given)
    chosen = launch_settings({**guessed, **given})
    if chosen.launch.as_of is None:
        chosen = chosen.model_copy(update={"launch": chosen.launch.model_copy(update={"as_of": today_of(chosen)})})
    inputs = read_tables(
        chosen.data,
        chosen.launch,
        seed=chosen.seed,
        terms=None if chosen.needs_every_order else terms_of(chosen),
        sampling=sampling_of(chosen),
        categories=chosen.by_category,
        seeds=chosen.scoring.seeds_file,
        given=read,
    )
    plan = plan_launch(inputs.tables, chosen)
    doubts = (*_say_guesses(guessed, chosen), *plan.warnings, *inputs.doubts)
    plan = in_words(replace(plan, warnings=doubts, notes=(*plan.notes, *say_weights(chosen))), chosen)
    inputs = replace(inputs, tables=replace(inputs.tables, contacts=None))  # which nothing of a launch shows
    return Launch(plan, chosen, inputs, type(nw.to_native(orders, pass_through=True)))


def _say_guesses(guessed: Mapping[str, object], settings: FrameLaunch) -> tuple[Message, ...]:
    """Say what was guessed: in a program, too, which may show nothing of the launch."""
    if not guessed:
        return ()
    sentence = "columns were guessed, as `segmenter init` would: {guesses}; what columns= or a keyword says counts instead"
    said = Message("frames.guessed", sentence, guesses=tuple(f"{key}={value}" for key, value in guessed.items()))
    warnings.warn(translate(said, settings.lang), stacklevel=3)
    return (said,)


@dataclass(frozen=True, eq=False, repr=False)
class Launch(Generic[FrameT]):
    """What a launch came to. Amounts in its tables are in currency units; a notebook shows it by itself.

    Parameters
    ----------
    plan : LaunchPlan
        All that was decided, in the launch's language, as Polars frames with money in minor units.
    settings : FrameLaunch
        The checked settings.
    read : Inputs
        The tables as they were read, rejects and findings among them; without contacts.
    kind : type
        Of the orders.

    Examples
    --------
    >>> orders = pl.DataFrame({"customer_id": ["a", "b"], "time": ["2026-06-30", "2026-06-01"], "amount": [12.5, 7.5]})
    >>> launch(orders, as_of="2026-07-01")
    Launch(name='launch', as_of=2026-07-01, customers=2, eligible=2, invited=2, groups=1, valid_until=2026-07-15, warnings=2)
    """

    plan: LaunchPlan
    settings: FrameLaunch
    read: Inputs
    kind: type

    @property
    def invite_list(self) -> FrameT:
        """The invited by rank."""
        return self._frame(self.plan.invite_list, MONEY)

    @property
    def customers(self) -> FrameT:
        """Every customer: measures, verdict, score, segment, and whether invited."""
        return self._frame(self.plan.customers, MONEY)

    @property
    def funnel(self) -> FrameT:
        """How many customers each rule removed."""
        return self._frame(self.plan.funnel)

    @property
    def what_if(self) -> FrameT:
        """How many would be eligible at neighbouring thresholds."""
        return self._frame(self.plan.what_if)

    @property
    def segments(self) -> FrameT:
        """Who the eligible are."""
        return self._frame(self.plan.segments, MONEY_OF_PROFILES)

    @property
    def groups(self) -> FrameT:
        """The groups, with whom and how many."""
        return self._frame(self.plan.groups, MONEY)

    @property
    def rejects(self) -> FrameT:
        """Rows that could not be understood, with the reason."""
        return self._frame(self.read.tables.rejects)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person should know before using the list, what keeps it from being carried out first."""
        return (*self.plan.obstacles, *self.plan.warnings)

    def explain(self, customer_id: object) -> Told:
        """Tell what was decided on a customer and why, and what would have to be otherwise, as `segmenter explain` does."""
        plan, lang = self.plan, self.settings.lang
        facts = {
            "as_of": str(self.settings.launch.as_of),
            "draft": {"record": {"as_of": str(self.settings.launch.as_of)}},
            "rules": plan.funnel["rule"].to_list(),
            "ranking": {"sentence": ranking_sentence(plan.ranking, lang)},
        }
        results = _Unwritten("launch", Path(self.settings.launch.name), facts, self.settings, plan)
        [found] = explain_some(results, [str(customer_id)])
        return Told(found, explanation_report(found, results, lang), lang)

    def report(self, path: "str | PathLike[str] | None" = None) -> str:
        """Give the launch's page, and write it where a path says so."""
        tables = self.read.tables
        report = launch_report(self.plan, self.settings, tables.rejects, tables.findings, read=self.read)
        page = render_page(report, self.settings.lang)
        if path is not None:
            Path(path).write_text(page, encoding="utf-8", newline="\n")
        return page

    def __repr__(self) -> str:
        launch, counts = self.settings.launch, self.plan.counts
        said = ", ".join(f"{name}={counts[name]}" for name in ("customers", "eligible", "invited", "groups"))
        warned = f", warnings={len(self.warnings)}" if self.warnings else ""
        return f"Launch(name={launch.name!r}, as_of={launch.as_of}, {said}, valid_until={self.plan.valid_until}{warned})"

    def _repr_html_(self) -> str:
        return launch_cell(self.plan, self.settings, self.read.tables.rejects)

    def _frame(self, frame: pl.DataFrame, money: Sequence[str] = ()) -> FrameT:
        """Give a table as the orders came, in units."""
        frame = to_units(frame, list(money), self.settings.launch.currency)
        native: object = frame
        match self.kind.__module__.partition(".")[0]:
            case "pandas" | "modin" | "cudf":
                native = frame.with_columns(cs.decimal().cast(pl.Float64)).to_pandas()  # where a Decimal would be an object
            case "pyarrow":
                native = frame.to_arrow()
        return cast("FrameT", native)


@dataclass(frozen=True)
class _Unwritten(LaunchResults):
    """A launch's results that no folder has."""

    plan: LaunchPlan

    @property
    def customers(self) -> pl.LazyFrame:
        return self.plan.customers.lazy()

    def segment_names(self) -> dict[int, str]:
        return dict(self.plan.segments.select("segment", "name").rows())
