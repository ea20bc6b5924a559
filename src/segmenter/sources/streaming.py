"""Orders in Parquet files, added up while they are decoded: memory for the customers, not for the orders.

A row is plain where each of its cells is what it seems to be: an id without spaces around it, a time, an amount that is a number.
Plain rows go to the kernel as they are. The others are odd: `mapping.order_rows` reads them, as it reads all rows elsewhere, and
says which are good and why the others are rejected.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
from polars.exceptions import PolarsError

from segmenter import tables
from segmenter.errors import InputError
from segmenter.history.summary import Terms
from segmenter.money import digits
from segmenter.settings import FilesSettings, LaunchSettings
from segmenter.sources.engines.scan import Scanned
from segmenter.sources.expressions import FILE, ROW, columns_of
from segmenter.sources.fields import currency_names
from segmenter.sources.files import sha256
from segmenter.sources.mapping import STRANGER, order_rows
from segmenter.sources.raw import Fingerprint, column_names, one_line
from segmenter.sources.rows import map_rows
from segmenter.sources.store import MOST, Identity, Kept, Store, part_of

if TYPE_CHECKING:
    from segmenter.history.adding import Adder

FEWEST = 1_000_000  # rows from which on the kernel repays the loading of its compiled code
_ODD = 200_000  # odd rows that are read at a time
_KERNEL = ("customer_id", "time", "amount")
_PLAIN = "__plain_"
FIELDS = ("customer_id", "time", "amount", "currency", "province", "city")


@dataclass(frozen=True)
class Stream:
    """Orders that can be added up as they are read.

    Parameters
    ----------
    places : sequence of Path
        The files.
    names : sequence of str
        What they are called in rejects.
    heights : sequence of int
        Their rows.
    settings : FilesSettings
        The column mappings.
    launch : LaunchSettings
        Its as-of date, time zone and currency.
    plain : mapping of str to Expr
        The fields in types that the kernel takes, ``back`` and ``odd`` among them; empty where all rows are odd.
    where : Expr or None
        The rows that are wanted.
    columns : list of str
        The source's columns that are needed.
    schema : Schema
        The types of all of them.
    """

    places: Sequence[Path]
    names: Sequence[str]
    heights: Sequence[int]
    settings: FilesSettings
    launch: LaunchSettings
    plain: dict[str, pl.Expr]
    where: pl.Expr | None
    columns: list[str]
    schema: pl.Schema

    @property
    def rows(self) -> int:
        """All rows of all files."""
        return sum(self.heights)


def streamed(places: Sequence[Path], names: Sequence[str], settings: FilesSettings, launch: LaunchSettings) -> Stream | None:
    """Say how orders can be added up as they are read.

    Parameters
    ----------
    places, names : sequence of Path and of str
        Whole Parquet files, and what they are called in rejects.
    settings : FilesSettings
        The column mappings.
    launch : LaunchSettings
        Its time zone and currency.

    Returns
    -------
    Stream or None
        None where they are few, or have to be seen together: lines of orders, repeated rows to drop, files of different types,
        or amounts that are computed from text.

    Raises
    ------
    InputError
        A mapped column is missing.

    Examples
    --------
    >>> import tempfile, segmenter
    >>> path = Path(tempfile.mkdtemp()) / "orders.parquet"
    >>> pl.DataFrame({"customer_id": ["a"], "time": ["2026-06-30"], "amount": [12.5]}).write_parquet(path)
    >>> settings = segmenter.launch_settings({"launch.as_of": "2026-07-01"})
    >>> streamed([path], ["orders.parquet"], settings.data, settings.launch) is None
    True
    """
    read = settings.orders
    if read.grain == "line" or read.repeats == "drop":
        return None
    try:
        schemas = [pl.read_parquet_schema(place) for place in places]
        heights = [pl.scan_parquet(place, glob=False).select(pl.len()).collect().item() for place in places]
    except (PolarsError, OSError):
        return None  # the whole reading says what is wrong
    schema = pl.Schema(schemas[0])
    if sum(heights) < FEWEST or any(other != schemas[0] for other in schemas) or column_names(list(schema)) != list(schema):
        return None
    problems: list[str] = []
    rows = map_rows("orders", schema.to_frame(), settings, launch, problems)
    if problems := [problem for problem in problems if not problem.startswith("data.orders.where: leaves none of 0 rows")]:
        raise InputError(*problems)
    expressions = {name: _expression(getattr(read.columns, name) or name, schema) for name in FIELDS if name in rows.found}
    conditions = {name: pl.sql_expr(sql) for name, sql in (("where", read.where), ("back", read.refund)) if sql is not None}
    texts = [name for name in expressions["amount"].meta.root_names() if schema[name] == pl.String]
    if (texts and read.columns.amount not in schema) or any(_type(schema, condition) != pl.Boolean for condition in conditions.values()):
        return None
    needed = {name for expression in (*expressions.values(), *conditions.values()) for name in expression.meta.root_names()}
    plain = _plain(expressions, schema, launch)
    if plain and "back" in conditions:
        plain["back"] = conditions["back"].fill_null(value=False)
    return Stream(
        places, names, heights, settings, launch, plain, conditions.get("where"), [name for name in schema if name in needed], schema
    )


def _expression(mapping: str, schema: pl.Schema) -> pl.Expr:
    return pl.col(mapping) if mapping in schema else pl.sql_expr(mapping)


def _type(schema: pl.Schema, expression: pl.Expr) -> pl.DataType | None:
    try:
        return schema.to_frame().lazy().select(expression.alias("value")).collect_schema()["value"]
    except PolarsError:
        return None


def _plain(fields: dict[str, pl.Expr], schema: pl.Schema, launch: LaunchSettings) -> dict[str, pl.Expr]:
    """Bring the fields into the types that the kernel takes; nothing where one of them cannot be."""
    types = {name: _type(schema, expression) for name, expression in fields.items()}
    who, when, amount = types["customer_id"], types["time"], types["amount"]
    if not (who == pl.String or (who is not None and who.is_integer() and who not in (pl.UInt64, pl.Int128, pl.UInt128))):
        return {}
    if not (when == pl.Date or isinstance(when, pl.Datetime)) or amount is None or not amount.is_numeric():
        return {}
    if any(types[name] != pl.String for name in ("province", "city", "currency") if name in types):
        return {}
    time = fields["time"]
    if isinstance(when, pl.Datetime) and when.time_zone is not None:
        time = time.dt.convert_time_zone(launch.timezone).dt.replace_time_zone(None)
    found = {"customer_id": fields["customer_id"], "time": time.cast(pl.Datetime("us")), "amount": fields["amount"].cast(pl.Float64)}
    found |= {name: fields[name] for name in ("province", "city") if name in fields}
    if "currency" in fields:
        found["odd"] = ~fields["currency"].is_in(currency_names(launch.currency)).fill_null(value=True)
    return found


@dataclass
class _Odd:
    """Odd rows on their way to be read."""

    stream: Stream
    ids: pl.Series | None
    frames: list[pl.DataFrame] = field(default_factory=list)
    rejects: list[pl.DataFrame] = field(default_factory=list)
    reads: dict[str, int] = field(default_factory=lambda: {"later": 0, "rejected": 0, "kept": 0})
    waiting: int = 0
    blank: int = 0

    def put(self, rows: pl.DataFrame) -> bool:
        """Take rows; say whether there are enough to read."""
        self.frames.append(rows)
        self.waiting += rows.height
        return self.waiting >= _ODD

    def read(self) -> pl.DataFrame:
        """Read what waits, and give the good rows in it."""
        names = pl.Series(self.stream.names, dtype=pl.String)
        frame = pl.concat(self.frames).with_columns(
            pl.col(FILE).map_batches(names.gather, return_dtype=pl.String), pl.col(ROW).cast(pl.Int64)
        )
        self.frames, self.waiting = [], 0
        frame = self._without_blanks(frame)
        problems: list[str] = []
        rows = map_rows("orders", frame, self.stream.settings, self.stream.launch, problems)
        if problems:
            raise InputError(*problems)
        good = order_rows(rows, self.stream.settings, self.stream.launch, self.ids)
        self.rejects.append(rows.rejects())
        for what in self.reads:
            self.reads[what] += rows.reads[what]
        return good

    def _without_blanks(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Drop rows in which nothing stands: they are no rows."""
        nothing = frame.select(pl.all_horizontal(pl.col(columns_of(frame)).is_null())).to_series()
        others = [name for name in self.stream.schema if name not in frame.columns]
        if not nothing.any():
            return frame
        if others:
            places = dict(zip(self.stream.names, self.stream.places, strict=True))
            found = [
                pl.scan_parquet(places[name], glob=False, hive_partitioning=False)
                .select(pl.all_horizontal(pl.col(others).is_null()).alias("nothing"))
                .collect()["nothing"]
                .gather(rows[ROW] - 1)
                .to_frame()
                .with_columns(rows.select(FILE, ROW))
                for (name,), rows in frame.filter(nothing).partition_by(FILE, as_dict=True).items()
            ]
            blank = pl.concat(found).filter("nothing").drop("nothing")
        else:
            blank = frame.filter(nothing).select(FILE, ROW)
        self.blank += blank.height
        return frame.join(blank, on=[FILE, ROW], how="anti", maintain_order="left")


def _batches(stream: Stream, files: Sequence[int]) -> Iterator[pl.DataFrame]:
    """Decode files: the columns needed, the plain fields, and where each row stands."""
    scans = []
    for number in files:
        scan = pl.scan_parquet(stream.places[number], glob=False, hive_partitioning=False, row_index_name=ROW, row_index_offset=1)
        if stream.where is not None:
            scan = scan.filter(stream.where.fill_null(value=False))
        plain = [expression.alias(_PLAIN + name) for name, expression in stream.plain.items()]
        scans.append(scan.select(*stream.columns, ROW, pl.lit(number, pl.UInt32).alias(FILE), *plain))
    return pl.concat(scans).collect_batches(maintain_order=False)


def add_up(
    stream: Stream, terms: Terms, ids: pl.Series | None, progress: Callable[..., None], store: Store | None
) -> tuple[Scanned, tuple[Fingerprint, ...]]:
    """Read and add up orders, on all cores, a few batches in memory at a time.

    Parameters
    ----------
    stream : Stream
        The orders.
    terms : Terms
        What the summary is for.
    ids : Series or None
        The customers of the customers table; rows of others are rejected.
    progress : callable
        Called with ``orders``, the rows read and all rows.
    store : Store or None
        Where files that were read before are kept.

    Returns
    -------
    Scanned
        The same as of a reading of all rows at once, with the store or without.
    tuple of Fingerprint
        Of the files.

    Raises
    ------
    InputError
        `where` leaves no rows, or a file is damaged.
    """
    # Here and not above: it brings Numba, which small shops do without.
    from segmenter.history.adding import Adder

    integers = bool(stream.plain) and _type(stream.schema, stream.plain["customer_id"]) != pl.String
    adder = Adder(terms, integers=integers, known=ids)
    known = {} if store is None else {at: kept for at in range(len(stream.places)) if (kept := _recall(store, stream, at, adder, ids))}
    fresh = [at for at in range(len(stream.places)) if at not in known]
    with ThreadPoolExecutor(1) as pool:
        hashes = {at: pool.submit(sha256, stream.places[at]) for at in fresh}
        total = {name: sum(kept.reads[name] for kept, _ in known.values()) for name in ("rows", "filtered", "rejected", "kept")}
        total |= {"later": adder.later}
        total["kept"] -= adder.later
        rejects = [frame for _, frame in known.values()]
        done = sum(stream.heights[at] for at in known)
        for files in [fresh] if store is None else [[at] for at in fresh]:
            identity = None if store is None else Identity.of(stream.places[files[0]])
            reads, found, parts = _read(stream, files, adder, ids, store, partial(_tell, progress, done, stream.rows))
            done += sum(stream.heights[at] for at in files)
            total = {name: total[name] + reads[name] for name in total}
            rejects.append(found)
            if store is not None and identity is not None and not reads["later"] and STRANGER not in found["reason"]:
                counted = {name: count for name, count in reads.items() if name != "later"}
                new = Kept(hashes[files[0]].result(), counted, terms.today, parts, store.put(found))
                store.keep(stream.places[files[0]], identity, new)
        shas = {at: known[at][0].sha256 if at in known else hashes[at].result() for at in range(len(stream.places))}
    if store is not None:
        store.prune()
    if total["filtered"] == total["rows"]:
        raise InputError(f'data.orders.where: leaves none of {total["rows"]:,} rows (got "{stream.settings.orders.where}")')
    prints = tuple(
        Fingerprint(name, place.stat().st_size, shas[at], "Parquet")
        for at, (name, place) in enumerate(zip(stream.names, stream.places, strict=True))
    )
    order = ("rows", "filtered", "later", "rejected", "kept")
    return Scanned(adder.summary(), {name: total[name] for name in order}, pl.concat([tables.REJECTS.to_frame(), *rejects])), prints


def _tell(progress: Callable[..., None], before: int, rows: int, done: int) -> None:
    progress("orders", before + done, rows)


def _read(
    stream: Stream, files: Sequence[int], adder: "Adder", ids: pl.Series | None, store: Store | None, progress: Callable[[int], None]
) -> tuple[dict[str, int], pl.DataFrame, list[list[str]]]:
    """Add up files: what became of their rows, their rejects, and their parts in the store."""
    from segmenter.history.adding import Batch

    odd, decimals, parts = _Odd(stream, ids), digits(stream.launch.currency), []
    received = accepted = 0
    later = adder.later
    adder.recorded = None if store is None else []

    def written() -> list[list[str]]:
        rows, adder.recorded = adder.recorded, None if store is None else []
        return [[store.put(frame) for frame in part_of(adder, rows)]] if store is not None and rows else []

    try:
        for batch in _batches(stream, files):
            received += batch.height
            raw = batch.select(*stream.columns, FILE, ROW)
            if stream.plain:
                found = {name: batch[_PLAIN + name] for name in stream.plain}
                places = [found.pop(name, None) for name in ("province", "city")]
                who, when, amounts = (found.pop(name) for name in _KERNEL)
                rows = adder.add(Batch(who, when, amounts, places=places, **found), digits=decimals)
                accepted += batch.height - len(rows)
                raw = raw[rows]
            if raw.height and odd.put(raw):
                adder.add_rows(odd.read())
            if adder.recorded and sum(frame.height for frame in adder.recorded) > MOST:
                parts += written()
            progress(received)
    except PolarsError as error:
        raise InputError(f"data.orders.path: is no whole Parquet file ({one_line(error)}); copy or export it again") from error
    if odd.frames:
        adder.add_rows(odd.read())
    parts += written()
    height, later = sum(stream.heights[at] for at in files), adder.later - later
    reads = {
        "rows": height - odd.blank,
        "filtered": height - received,
        "later": later + odd.reads["later"],
        "rejected": odd.reads["rejected"],
        "kept": accepted - later + odd.reads["kept"],
    }
    return reads, pl.concat([tables.REJECTS.to_frame(), *odd.rejects]), parts


def _recall(store: Store, stream: Stream, at: int, adder: "Adder", ids: pl.Series | None) -> tuple[Kept, pl.DataFrame] | None:
    """Add up a file from the store; None where it has to be read."""
    place, today = stream.places[at], adder.terms.today
    kept = store.find(place, today)
    if kept is None:
        return None
    parts = [store.load(place, names) for names in kept.parts]
    rejects = store.load(place, [kept.rejects])
    if rejects is None or any(part is None for part in parts):
        return None
    whole = [part for part in parts if part is not None]
    if ids is not None and not all(customers["customer_id"].cast(pl.String).is_in(ids.implode()).all() for customers, _, _ in whole):
        return None  # some are strangers, whose rows are to be told one by one
    for customers, orders, places in whole:
        adder.add_runs(customers, orders, places["place"])
    # The file may be called otherwise now, from where the config names it.
    return kept, rejects[0].with_columns(file=pl.lit(stream.names[at]))
