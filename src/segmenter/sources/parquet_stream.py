"""Orders in Parquet files, added up while they are decoded: memory for the customers, not for the orders.

A row is plain where each of its cells is what it seems to be: an id without spaces around it, a time, an amount that is a number.
Plain rows go to the kernel as they are. The others are odd: `mapping.order_rows` reads them, as it reads all rows elsewhere, and
says which are good and why the others are rejected.
"""

import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from polars.exceptions import PanicException, PolarsError

from segmenter import tables
from segmenter.contacts import Contacts, shown_sql
from segmenter.engines.scan import Scanned
from segmenter.errors import ConfigError, InputError
from segmenter.money import digits
from segmenter.settings import FilesSettings, LaunchSettings
from segmenter.sources.expressions import FILE, ROW, columns_of, read_as_numbers
from segmenter.sources.fields import currency_names, local
from segmenter.sources.files import sha256
from segmenter.sources.mapping import STRANGER, order_rows
from segmenter.sources.raw import Fingerprint, column_names, known_types, one_line
from segmenter.sources.rows import map_rows
from segmenter.sources.store import MOST, Identity, Kept, Store, part_of
from segmenter.sql import expression
from segmenter.tables import Terms
from segmenter.words import Progress

if TYPE_CHECKING:
    from segmenter.measures.aggregator import Aggregator, Batch

_NONE = Contacts()
FEWEST = 1_000_000  # rows from which on the kernel repays the loading of its compiled code
_AT_ONCE = 1_000_000  # rows that are added up at a time
_ODD = 200_000  # odd rows that are read at a time
_KERNEL = ("customer_id", "time", "amount")
_PLAIN = "__plain_"
_WANTED = f"{_PLAIN}wanted"
_OF_ALL_ROWS = re.compile(r'"(Agg|Over|Len)"')  # in an expression as Polars writes it down
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
        The fields in types that the kernel takes, ``back`` and ``fallback`` among them; empty where all rows are odd.
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
        or values that are computed from text or from all rows.

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
        schema = pl.Schema(schemas[0]).to_frame().with_columns(known_types(pl.Schema(schemas[0]))).schema
    except (PolarsError, PanicException, OSError):
        return None  # the whole reading says what is wrong
    if sum(heights) < FEWEST or any(other != schemas[0] for other in schemas) or column_names(list(schema)) != list(schema):
        return None
    if _computed_from_text(read.columns.amount or "amount", schema):
        return None  # the rows decide which of these texts are numbers
    problems: list[str] = []
    rows = map_rows("orders", schema.to_frame(), settings, launch, problems)
    if problems := [problem for problem in problems if not problem.startswith("data.orders.where: leaves none of 0 rows")]:
        raise InputError(*problems)
    mappings = {name: getattr(read.columns, name) or name for name in FIELDS if name in rows.found}
    sqls = {name: sql for name, sql in (("where", read.where), ("back", read.refund)) if sql is not None}
    expressions = {name: _expression(mapping, schema) for name, mapping in mappings.items()}
    conditions = {name: expression(sql) for name, sql in sqls.items()}
    # Text that has to be read as numbers is for `evaluate`, and what depends on all rows needs all rows.
    computed = [
        sql for name, sql in (mappings | sqls).items() if name != "amount" and read_as_numbers(schema.to_frame(), sql, amount=False)
    ]
    whole = [each for each in (*expressions.values(), *conditions.values()) if _OF_ALL_ROWS.search(each.meta.serialize(format="json"))]
    if computed or whole or any(_type(schema, condition) != pl.Boolean for condition in conditions.values()):
        return None
    needed = {name for expression in (*expressions.values(), *conditions.values()) for name in expression.meta.root_names()}
    if any(schema[name].is_nested() for name in needed):
        return None  # what can be computed of it, only its values show
    plain = _plain(expressions, schema, launch)
    if plain and "back" in conditions:
        plain["back"] = conditions["back"].fill_null(value=False)
    return Stream(
        places, names, heights, settings, launch, plain, conditions.get("where"), [name for name in schema if name in needed], schema
    )


def _expression(mapping: str, schema: pl.Schema) -> pl.Expr:
    return pl.col(mapping) if mapping in schema else expression(mapping)


def _computed_from_text(mapping: str, schema: pl.Schema) -> bool:
    try:
        names = [] if mapping in schema else expression(mapping).meta.root_names()
    except (ConfigError, PolarsError):
        return False  # the mapping says what is wrong
    return any(schema.get(name) == pl.String for name in names)


def _type(schema: pl.Schema, expression: pl.Expr) -> pl.DataType | None:
    try:
        return schema.to_frame().select(expression.alias("value"))["value"].dtype  # not by the schema, which knows less
    except (PolarsError, PanicException):
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
    time, money = local(fields["time"], when, launch.timezone), fields["amount"].cast(pl.Float64)
    found = {"customer_id": fields["customer_id"], "time": time, "amount": money}
    found |= {name: fields[name] for name in ("province", "city") if name in fields}
    if "currency" in fields:
        found["fallback"] = ~fields["currency"].is_in(currency_names(launch.currency)).fill_null(value=True)
    return found


@dataclass
class _Odd:
    """Odd rows on their way to be read."""

    stream: Stream
    files: Sequence[int]
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
        frame = self._placed(pl.concat(self.frames))
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

    def _placed(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Say in which file each row stands, and where in it, from 1."""
        starts = np.cumsum([0, *(self.stream.heights[at] for at in self.files)])
        file = np.searchsorted(starts, frame[ROW].to_numpy(), side="right") - 1
        names = pl.Series([self.stream.names[at] for at in self.files], dtype=pl.String)
        return frame.with_columns(pl.Series(ROW, frame[ROW].to_numpy().astype(np.int64) - starts[file] + 1), names.gather(file).alias(FILE))

    def blanks(self, rows: pl.DataFrame) -> int:
        """Count rows in which nothing stands."""
        return rows.height - self._without_blanks(self._placed(rows)).height

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
    """Decode files: the columns needed, the plain fields, which rows are wanted, and which of all their rows each is, from 0.

    All rows come or an error does: where a thread of Polars panics, its batches end as if there were no more.
    """
    scan = pl.scan_parquet([stream.places[at] for at in files], glob=False, hive_partitioning=False, row_index_name=ROW)
    plain = [expression.alias(_PLAIN + name) for name, expression in stream.plain.items()]
    if stream.where is not None:
        plain.append(stream.where.fill_null(value=False).alias(_WANTED))
    rows = scan.with_columns(known_types(scan.collect_schema())).select(*stream.columns, ROW, *plain)
    starts = np.cumsum([0, *(stream.heights[at] for at in files[:-1])])
    counts = np.zeros(len(files), np.int64)
    for batch in rows.collect_batches(maintain_order=False):
        if batch.height:
            at = np.searchsorted(starts, batch.select(pl.min(ROW), pl.max(ROW).alias("last")).row(0), side="right") - 1
            if at[0] != at[1]:
                at = np.searchsorted(starts, batch[ROW].to_numpy(), side="right") - 1
                counts += np.bincount(at, minlength=len(files))
            else:
                counts[at[0]] += batch.height
        yield batch
    if wrong := [(at, count) for at, count in zip(files, counts, strict=True) if count != stream.heights[at]]:
        got = [f"{stream.names[at]}: {count:,} of its {stream.heights[at]:,} rows were read" for at, count in wrong]
        why = _panic(rows)
        raise InputError(*(f"data.orders.path: {each} ({why}); mend the mapping, or export the file again" for each in got))


def _panic(rows: pl.LazyFrame) -> str:
    """Say why the batches of a query ended too early."""
    try:
        rows.sink_batches(lambda batch: None)
    except (PolarsError, PanicException) as error:
        return one_line(error)
    return "it changed meanwhile, or does not hold what it says"


def decoded(stream: Stream) -> Iterator[tuple[pl.Series, pl.DataFrame]]:
    """Decode all files batch by batch, in no particular order.

    Parameters
    ----------
    stream : Stream
        The orders, their ids plain.

    Yields
    ------
    (Series, DataFrame)
        The ids of the rows that are wanted, and the columns needed.
    """
    for batch in _batches(stream, range(len(stream.places))):
        rows = batch if stream.where is None else batch.filter(_WANTED)
        yield rows[f"{_PLAIN}customer_id"], rows.select(stream.columns)


def add_up(
    stream: Stream, terms: Terms, ids: pl.Series | None, progress: Progress, store: Store | None, personal: Contacts = _NONE
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
    personal : Contacts
        What the rejects do not show, nor the store keeps.

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
    from segmenter.measures.aggregator import Aggregator

    integers = bool(stream.plain) and _type(stream.schema, stream.plain["customer_id"]) != pl.String
    adder = Aggregator(terms, integers=integers, known=ids)
    known = {} if store is None else _recalled(store, stream, adder, ids)
    fresh = [at for at in range(len(stream.places)) if at not in known]
    pool, writer = ThreadPoolExecutor(1), ThreadPoolExecutor(1)
    try:
        identities = {at: Identity.of(stream.places[at]) for at in fresh}
        hashes = {at: pool.submit(sha256, stream.places[at]) for at in fresh}
        total = {name: sum(kept.reads[name] for kept, _ in known.values()) for name in ("rows", "filtered", "rejected", "kept")}
        total |= {"later": adder.later}
        total["kept"] -= adder.later
        rejects = [frame for _, frame in known.values()]
        done = sum(stream.heights[at] for at in known)
        keeping: list[Future[None]] = []
        for files in [fresh] if store is None else [[at] for at in fresh]:
            if len(keeping) > 1:
                keeping[-2].result()  # of what waits to be written, one file's rows are held
            put = None if store is None else partial(_put, writer, store, adder)
            reads, found, parts = _read(stream, files, adder, ids, put, partial(_tell, progress, done, stream.rows))
            done += sum(stream.heights[at] for at in files)
            total = {name: total[name] + reads[name] for name in total}
            found = personal.without(found)
            rejects.append(found)
            if store is not None and not reads["later"] and STRANGER not in found["reason"]:
                place, identity, sha = stream.places[files[0]], identities[files[0]], hashes[files[0]]
                keeping.append(writer.submit(_keep, store, place, identity, sha, reads, terms.today, parts, found))
        for each in keeping:
            each.result()
        shas = {at: known[at][0].sha256 if at in known else hashes[at].result() for at in range(len(stream.places))}
    except OSError as error:
        raise InputError(f"data.orders.path: cannot be read ({error.strerror or one_line(error)})") from error
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        writer.shutdown(cancel_futures=True)
    if store is not None:
        store.prune()
    if total["rows"] != sum(total[name] for name in ("filtered", "later", "rejected", "kept")):
        raise InputError(f"data.orders.path: its rows do not add up ({total}); please report it, with the config")
    if total["filtered"] == total["rows"]:
        raise InputError(
            f'data.orders.where: leaves none of {total["rows"]:,} rows (got "{shown_sql(stream.settings.orders.where or "")}")'
        )
    prints = tuple(
        Fingerprint(name, place.stat().st_size, shas[at], "Parquet")
        for at, (name, place) in enumerate(zip(stream.names, stream.places, strict=True))
    )
    order = ("rows", "filtered", "later", "rejected", "kept")
    return Scanned(adder.summary(), {name: total[name] for name in order}, pl.concat([tables.REJECTS.to_frame(), *rejects])), prints


def _tell(progress: Progress, before: int, rows: int, done: int) -> None:
    progress("orders", before + done, rows)


def _read(
    stream: Stream,
    files: Sequence[int],
    adder: "Aggregator",
    ids: pl.Series | None,
    put: Callable[[list[pl.DataFrame]], "Future[list[str]]"] | None,
    progress: Callable[[int], None],
) -> tuple[dict[str, int], pl.DataFrame, list["Future[list[str]]"]]:
    """Add up files: what became of their rows, their rejects, and their parts on their way into the store."""
    odd, decimals = _Odd(stream, files, ids), digits(stream.launch.currency)
    parts: list[Future[list[str]]] = []
    received = accepted = later = 0
    adder.recorded = None if put is None else []

    def written() -> None:
        if put is not None and (rows := adder.recorded):
            adder.recorded = []
            parts.append(put(rows))

    try:
        for batches in _together(_batches(stream, files)):
            raws = []
            for decoded in batches:
                batch = decoded if stream.where is None else decoded.filter(_WANTED)
                if batch.height < decoded.height:
                    # Rows in which nothing stands are no rows, neither wanted nor left out.
                    nothing = ~pl.col(_WANTED) & pl.all_horizontal(pl.col(stream.columns).is_null())
                    received += odd.blanks(decoded.filter(nothing).select(*stream.columns, ROW))
                received += batch.height
                raws.append(batch)
            if stream.plain:
                before = adder.later
                rows = adder.add_all([_plain_batch(stream, batch) for batch in raws], digits=decimals)
                later += adder.later - before
                accepted += sum(batch.height - len(numbers) for batch, numbers in zip(raws, rows, strict=True))
                raws = [batch[numbers] for batch, numbers in zip(raws, rows, strict=True) if len(numbers)]
            for raw in raws:
                if raw.height and odd.put(raw.select(*stream.columns, ROW)):
                    adder.add_rows(odd.read())
            if adder.recorded and sum(frame.height for frame in adder.recorded) > MOST:
                written()
            progress(received)
        if odd.frames:
            adder.add_rows(odd.read())
    except (PolarsError, OSError) as error:
        raise InputError(*_damaged(stream, files, error)) from error
    written()
    height = sum(stream.heights[at] for at in files)
    reads = {
        "rows": height - odd.blank,
        "filtered": height - received,
        "later": later + odd.reads["later"],
        "rejected": odd.reads["rejected"],
        "kept": accepted - later + odd.reads["kept"],
    }
    return reads, pl.concat([tables.REJECTS.to_frame(), *odd.rejects]), parts


def _together(batches: Iterator[pl.DataFrame]) -> Iterator[list[pl.DataFrame]]:
    """Take several batches at a time: the cores wait for each other after each time."""
    taken: list[pl.DataFrame] = []
    for batch in batches:
        taken.append(batch)
        if sum(each.height for each in taken) >= _AT_ONCE:
            yield taken
            taken = []
    if taken:
        yield taken


def _plain_batch(stream: Stream, batch: pl.DataFrame) -> "Batch":
    from segmenter.measures.aggregator import Batch

    found = {name: batch[_PLAIN + name] for name in stream.plain}
    places = [found.pop(name, None) for name in ("province", "city")]
    who, when, amounts = (found.pop(name) for name in _KERNEL)
    return Batch(who, when, amounts, places=places, **found)


def _damaged(stream: Stream, files: Sequence[int], error: Exception) -> list[str]:
    """Say which files cannot be read: a scan of many does not."""
    problems = []
    for at in files:
        try:
            pl.read_parquet(stream.places[at], glob=False, hive_partitioning=False)
        except (PolarsError, PanicException) as wrong:
            problems.append(f"{stream.names[at]}: is no whole Parquet file ({one_line(wrong)}); copy or export it again")
        except OSError as wrong:
            problems.append(f"{stream.names[at]}: cannot be read ({wrong.strerror or one_line(wrong)})")
    if not problems:
        return [f"data.orders: its columns, where or refund cannot be computed ({one_line(error)})"]
    return [f"data.orders.path: {problem}" for problem in problems]


def _put(writer: ThreadPoolExecutor, store: Store, adder: "Aggregator", rows: list[pl.DataFrame]) -> "Future[list[str]]":
    return writer.submit(lambda: [store.put(frame) for frame in part_of(adder, rows)])


def _keep(
    store: Store,
    place: Path,
    identity: Identity,
    sha: "Future[str]",
    reads: dict[str, int],
    as_of: int,
    parts: Sequence["Future[list[str]]"],
    rejects: pl.DataFrame,
) -> None:
    counted = {name: count for name, count in reads.items() if name != "later"}
    store.keep(place, identity, Kept(sha.result(), counted, as_of, [part.result() for part in parts], store.put(rejects)))


def _recalled(store: Store, stream: Stream, adder: "Aggregator", ids: pl.Series | None) -> dict[int, tuple[Kept, pl.DataFrame]]:
    """Add up files from the store: what is kept of each, and its rejects; the others have to be read."""
    found = {}
    with ThreadPoolExecutor(2) as pool:
        # Two files ahead: their bytes are checked while others are added up.
        waiting = deque((at, pool.submit(_loaded, store, stream.places[at], adder.terms.today)) for at in range(min(3, len(stream.places))))
        while waiting:
            at, loading = waiting.popleft()
            if (further := at + 3) < len(stream.places):
                waiting.append((further, pool.submit(_loaded, store, stream.places[further], adder.terms.today)))
            if (loaded := loading.result()) is None:
                continue
            kept, parts, rejects = loaded
            if ids is not None and not all(part[0]["customer_id"].cast(pl.String).is_in(ids.implode()).all() for part in parts):
                continue  # some are strangers, whose rows are to be told one by one
            for customers, orders, places in parts:
                adder.add_runs(customers, orders, places["place"])
            # The file may be called otherwise now, from where the config names it.
            found[at] = kept, rejects.with_columns(file=pl.lit(stream.names[at]))
    return found


def _loaded(store: Store, place: Path, today: int) -> tuple[Kept, list[list[pl.DataFrame]], pl.DataFrame] | None:
    kept = store.find(place, today)
    if kept is None:
        return None
    parts, rejects = [store.load(place, names) for names in kept.parts], store.load(place, [kept.rejects])
    whole = [part for part in parts if part is not None]
    if rejects is None or len(whole) < len(parts):
        return None
    counted = {**kept.reads, "kept": sum(orders.height for _, orders, _ in whole), "rejected": rejects[0].height}
    if counted != kept.reads or kept.reads["rows"] != sum(kept.reads[name] for name in ("filtered", "rejected", "kept")):
        store.damaged(place, place.name, ValueError(f"its rows do not add up: {counted}"))
        return None
    return kept, whole, rejects[0]
