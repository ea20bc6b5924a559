"""Random shops, files, damage, configs and jobs: each ends in exit 0 with counts that add up, or in exit 2 with a message.

SEGMENTER_FUZZ_SECONDS=3600 looks for so long, SEGMENTER_FUZZ_EXAMPLES=10000 at so many; SEGMENTER_FUZZ_COMMAND=1 starts jobs as a user
does. What fails is kept in SEGMENTER_FUZZ_FOUND (by default in the temporary folder), with its files, its command and what it said.
"""

import csv
import gzip
import hashlib
import io
import json
import os
import random
import re
import shlex
import shutil
import sqlite3
import tempfile
import time
from collections import Counter
from contextlib import closing
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import polars as pl
import pytest
import xlsxwriter
from forked import Forked, Ran, hashes, torn
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from segmenter.settings import BacktestJob, DemoJob, LaunchJob, ReviewJob, TuneJob

SECONDS, EXAMPLES = float(os.environ.get("SEGMENTER_FUZZ_SECONDS", "0")), int(os.environ.get("SEGMENTER_FUZZ_EXAMPLES", "50"))
FOUND = Path(os.environ.get("SEGMENTER_FUZZ_FOUND", tempfile.gettempdir() + "/segmenter-fuzz"))
BATCH, SHRINKING = 10, 40  # examples with one seed (after ten Hypothesis only varies them), and further runs to make a failure small

# What people, exports and attackers put into cells and settings. (Bidirectional marks are escaped, so that they do nothing here.)
_TEXTS = [
    " ", "0", "-0", "1", "-5", "007", "1e400", "1e20", "-1e18", "1.5", "1,5", "1.234,56", "1,234.56", "12 345,67", "¥12.50", "￥1，234", "１２３", "١٢٣", "12元", "(5.00)", "5-", "50%", "$5", "EUR 3", "NaN", "inf", "-Infinity", "null", "None", "N/A", "#REF!", "-", "—", "是", "否", "true",
    "2026-06-30", "30/06/2026", "06/30/26", "2026-02-30", "0000-00-00", "0001-01-01", "9999-12-31 23:59:59", "2026-06-30T24:00:00", "2026-06-30T10:00:00+14:00", "1900-01-00", "46203.75", "1782777600", "2026年6月30日", "-0044-03-15",
    "四川", "四川省", "中国四川省成都市武侯区", "台灣", "Île-de-France", "'; DROP TABLE orders; --", '"', "'", "a,b;c\td", "a\nb", "a\r\nb", "\r", "\x00", "\x1b[31mred\x1b[0m", "\x07", "\u202egnp.exe", "\u2066x", "\ufeff", "\u200b", "\ufffe", "é", "👨\u200d👩\u200d👧",
    "=1+1", '=HYPERLINK("http://x")', "@SUM(A1)", "+49 151 23456789", "13800138000", "a@b.cn", "<script>alert(1)</script>", "{{7*7}}", "${launch.name}", "${oc.env:HOME}", "$(id)", "`id`", "%s%n", "\\", "\\N", "CON", "a/b", ".", "C1", "c1 ", "amount", "spend",
    "", "9" * 40, "x" * 5000,
]  # fmt: skip
_SQL = [
    "amount", "AMOUNT", "amount * 2", "amount / 0", "-amount", "amount > 0", "customer_id", "NOT", "1", "NULL", "amount +", "SUM(amount)", "COUNT(*) OVER ()", "CAST(amount AS INT)", "amount > 'x'", "LOWER(province)", "time", "time < '2026-06-01'",
    "province LIKE '四%'", "CASE WHEN amount > 5 THEN 'a' ELSE 'b' END", "read_csv('/etc/passwd')", "ÄÖ", '"no such"', "' ", "(SELECT 1)", "1; DROP TABLE x", "status IN ('done')", "spend > 100", "orders >= 2", "province",
    " AND ".join(["amount > 0"] * 2000), "(" * 500 + "1" + ")" * 500,
]  # fmt: skip
_YAML = ["\t", "a: b: c\n", "\ufeff", "- x\n", "launch: {}\n", "k: &a [*a]\n", "? :\n", "x: !!python/object/apply:os.system [id]\n", "x: !my 1\n", "{", "'", "# @package x\n", "---\n", "%YAML 9\n", "<<: 1\n", "\x00", "\x85", "null: 1\n"]  # fmt: skip
_TYPES = [
    pl.Int8, pl.Int32, pl.Int64, pl.UInt64, pl.Float32, pl.Float64, pl.Decimal(38, 2), pl.Decimal(38, 20), pl.Boolean, pl.Date, pl.Time, pl.Datetime("ms"), pl.Datetime("ns"),
    pl.Datetime("us", "America/New_York"), pl.Duration("us"), pl.Binary, pl.Categorical, pl.List(pl.String), pl.Struct({"a": pl.String}), pl.Null,
]  # fmt: skip
_COLUMNS = {
    "orders": ["order_id", "customer_id", "time", "amount", "province", "status"],
    "customers": ["customer_id", "name", "province", "joined", "staff", "do_not_contact", "phone", "note"],
    "events": ["customer_id", "kind", "time"],
    "referrals": ["customer_id", "friend_id", "time"],
}
# Keys that name places get names in the example's own folder, and no others.
_PLACES: dict[str, list[Any]] = {
    "out": ["results", "elsewhere", "a/b/c", "orders", ".", "x" * 300, "ünï 文件", "file.txt", "link"],
    "ledger.url": ["sqlite:///ledger.db", "sqlite:///results/l.db", "sqlite:///orders.csv", "sqlite://", "postgresql://me:pw@127.0.0.1:9/x", "mysql://x", "x"],
    "history.store": ["store", "results", "orders", "off", ""],
    "data.url": ["sqlite:///shop.db", "sqlite:///none.db", "postgresql://me:pw@127.0.0.1:9/x"],
    "data.dir": ["."],
    "review.answers": [["results/call_sheets"], ["none"], ["orders"], ["."]],
    "results": ["results", "none", "."],
    **{f"data.{name}.path": [f"{name}*", ".", "no.csv", "*", "link", "**"] for name in _COLUMNS},
}  # fmt: skip
_MODELS: dict[str, type[BaseModel]] = {"launch": LaunchJob, "backtest": BacktestJob, "tune": TuneJob, "review": ReviewJob, "demo": DemoJob}
_KINDS = {
    "data": ["files"] * 9 + ["database"],
    "scoring": ["weighted", "spend", "decayed", "recency", "rfm", "clv", "learned", "auto"],
    "segments": ["kmeans", "rfm"],
    "plan": ["simple", "allocated"],
}
_texts = st.one_of(st.sampled_from(_TEXTS), st.text(max_size=8))
_junk = st.one_of(_texts, st.sampled_from([None, True, 0, -1, 0.5, 10**6, 10**9, 2**63, 10**20, 1e300, -1e-300, [], ["a", 1], {"a": 1}]))


def _values(kind: Any, bounds: tuple[Any, ...] = ()) -> st.SearchStrategy[Any]:
    """Values of a setting's own type, the ends of what is allowed among them."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _values(inner[0], (*bounds, *inner[1:], *(each for one in inner[1:] for each in getattr(one, "metadata", ()))))
    if origin in (Union, UnionType):
        return st.one_of([_values(one, bounds) for one in inner])
    if origin is Literal:
        return st.sampled_from(inner)
    if origin is tuple:
        return st.lists(_values(inner[0]), max_size=4)
    if origin is dict:
        return st.dictionaries(_texts, _values(inner[1]), max_size=3)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return st.fixed_dictionaries({name: _values(field.rebuild_annotation()) for name, field in kind.model_fields.items()})
    if kind in (int, float):
        ends = [end for one in bounds for at in ("ge", "gt", "le", "lt") if (end := getattr(one, at, None)) is not None]
        ends = [end + step for end in ends for step in (-1, 0, 1)] or [0]
        near = st.integers(1, 100) if kind is int else st.floats(0, 1)
        return st.one_of(near, near, st.integers(1, 3000), st.sampled_from(ends))
    if kind is date:
        return st.one_of(st.dates(date(2026, 1, 1), date(2026, 7, 5)), st.dates(date(1979, 12, 31), date(2200, 1, 2))).map(str)
    return {bool: st.booleans(), NoneType: st.none()}.get(kind, _texts)


def _leaves(model: type[BaseModel], kinds: dict[str, str], prefix: str = "") -> list[tuple[str, st.SearchStrategy[Any]]]:
    """Walk a config's model: every key, and what it may be."""
    found = []
    for name, field in model.model_fields.items():
        key, choices = prefix + name, [field.annotation, *get_args(field.annotation)]
        models = [
            one
            for one in [*choices, *(one for each in choices for one in get_args(each))]
            if isinstance(one, type) and issubclass(one, BaseModel)
        ]
        models.sort(key=lambda one: kinds.get(key) not in get_args(getattr(one.model_fields.get("kind"), "annotation", None)))
        if models and get_origin(field.annotation) is not tuple and key not in ("tracking", "engine"):
            found += _leaves(models[0], kinds, f"{key}.")
        elif key in _PLACES:
            found.append((key, st.sampled_from(_PLACES[key])))
        elif re.search(r"\.(where|refund|columns\.\w+)$", key):
            found.append((key, st.sampled_from(_SQL)))
        elif name not in ("kind", "tracking", "engine", "rankings", "query"):
            found.append((key, _values(field.rebuild_annotation())))
    return found


@cache
def _keys(job: str, kinds: tuple[str, ...]) -> list[tuple[str, st.SearchStrategy[Any]]]:
    return _leaves(_MODELS[job], dict(zip(_KINDS, kinds, strict=True)))


@st.composite
def _cases(draw: st.DrawFn) -> dict[str, Any]:
    """A whole example as plain values: what `_build` makes files of."""

    def rarely(of: int, values: st.SearchStrategy[Any], otherwise: Any) -> Any:
        return draw(values) if draw(st.integers(1, of)) == of else otherwise

    job = draw(st.sampled_from(["launch"] * 12 + ["review", "review", "backtest", "tune", "demo"]))
    kinds = {name: rarely(2, st.sampled_from(choices), choices[0]) for name, choices in _KINDS.items()}
    tables = ["orders", *draw(st.lists(st.sampled_from(["customers", "events", "referrals"]), unique=True))]
    junk, config, forms = rarely(6, st.just(True), False), {}, {}
    for _ in range(draw(st.sampled_from([0, 0, 1, 1, 2, 3, 6]))):
        key, values = draw(st.sampled_from(_keys(job, tuple(kinds.values()))))
        config[key] = draw(_junk if junk and key not in _PLACES else values)
    for name in tables:
        forms[name] = {
            "as": draw(st.sampled_from(["csv", "csv", "csv", "csv.gz", "parquet", "parquet", "parquet", "xlsx"])),
            "text": [draw(st.sampled_from(choices)) for choices in (["utf-8", "utf-8-sig", "gb18030", "utf-16", "latin-1"], ",;\t|", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL], ["\n", "\r\n", "\r"])],
            "files": rarely(3, st.integers(2, 3), 1),
            "types": draw(st.dictionaries(st.integers(0, 7), st.integers(0, len(_TYPES) - 1), max_size=2)),
            "damage": rarely(8, st.lists(st.tuples(st.sampled_from(["flip", "cut", "put"]), st.floats(0, 1), st.integers(0, 255)), max_size=3), []),
        }  # fmt: skip
    return {
        "job": job, "kinds": kinds, "tables": tables, "config": config, "forms": forms, "customers": draw(st.integers(1, 60)), "seed": draw(st.integers(0, 9)),
        "cells": rarely(2, st.lists(st.tuples(st.sampled_from(tables), st.integers(0, 7), st.integers(0, 60), _texts), max_size=6), []),
        "yaml": rarely(6, st.tuples(st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16"]), st.lists(st.tuples(st.sampled_from(_YAML), st.floats(0, 1)), max_size=2)), None),
        "before": job == "review" or draw(st.booleans()), "overwrite": draw(st.booleans()), "decimal": draw(st.sampled_from("...,")), "strict": rarely(5, st.just(True), False),
    }  # fmt: skip


def _shop(case: dict[str, Any]) -> dict[str, list[list[str]]]:
    """A small shop that depends on few numbers, some of its cells replaced."""
    chance = random.Random(case["seed"])
    shop: dict[str, list[list[str]]] = {name: [] for name in _COLUMNS}
    ids = [f"C{number}" for number in range(case["customers"])]
    for who in ids:
        province = chance.choice(["四川省", "云南", "广东省", "Sichuan", ""])
        shop["customers"].append([who, f"李{who}", province, "2025-01-01", "false", "否", "13800138000", "hello"])
        for _ in range(chance.randrange(6)):
            when = datetime(2026, 7, 5, 12) - timedelta(hours=chance.randrange(4, 400 * 24))
            amount = f"{chance.choice([-1, 1, 1, 1, 1]) * chance.randrange(1, 90_000) / 100:.2f}"
            shop["orders"].append([f"O{len(shop['orders'])}", who, str(when), amount.replace(".", case["decimal"]), province, "done"])
        shop["events"] += [[who, chance.choice(["visit", "share"]), "2026-06-01 10:00:00"] for _ in range(chance.randrange(3))]
        shop["referrals"] += [[who, chance.choice(ids), "2026-05-01"] for _ in range(chance.randrange(2))]
    shop["orders"].append(["O", "C0", "2026-06-30 10:00:00", "12.50".replace(".", case["decimal"]), "四川省", "done"])
    for name, column, row, text in case["cells"]:
        if shop[name]:
            shop[name][row % len(shop[name])][column % len(_COLUMNS[name])] = text
    return {name: shop[name] for name in case["tables"]}


def _series(cells: pl.Series, dtype: Any) -> pl.Series:
    """A column in another type: its cells where they can be cast, else the ends of the type."""
    if dtype in (pl.List, pl.Struct):
        return pl.Series(cells.name, [[cell] if dtype == pl.List else {"a": cell} for cell in cells])
    try:
        times = dtype in (pl.Date, pl.Datetime)
        cast = (cells.str.to_datetime(strict=False) if times else cells).cast(dtype, strict=False)
        if cast.null_count() < len(cells) or dtype == pl.Null:
            return cast
        ends = [0, 2**63 - 1, -(2**63), 1, -1] * len(cells)
        return pl.Series(cells.name, ends[: len(cells)], dtype=pl.Int64).cast(dtype, strict=False)
    except pl.exceptions.PolarsError:
        return cells


def _file(form: dict[str, Any], columns: list[str], rows: list[list[str]], *, damaged: bool) -> bytes:
    file, text, (encoding, separator, quoting, ends) = io.BytesIO(), io.StringIO(), form["text"]
    if form["as"] == "parquet":
        frame = pl.DataFrame([[row[at] for row in rows] for at in range(len(columns))], schema=dict.fromkeys(columns, pl.String))
        kinds = {at % len(columns): _TYPES[kind] for at, kind in form["types"].items()}
        frame.with_columns(_series(frame.to_series(at), kind) for at, kind in kinds.items()).write_parquet(file)
    elif form["as"] == "xlsx":
        with xlsxwriter.Workbook(file, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
            sheet = book.add_worksheet()
            for number, row in enumerate([columns, *rows]):
                sheet.write_row(number, 0, row)
    else:
        if any(set(cell) & {"\r", "\n"} for row in rows for cell in row):
            quoting = csv.QUOTE_ALL  # Python leaves a line end of another kind bare, which then is one
        csv.writer(text, delimiter=separator, quoting=quoting, lineterminator=ends).writerows([columns, *rows])
        file.write(text.getvalue().encode(encoding, "replace"))
    data = gzip.compress(file.getvalue(), mtime=0) if form["as"] == "csv.gz" else file.getvalue()
    for how, place, byte in form["damage"] if damaged else []:
        at = int(place * len(data))
        data = data[:at] + {"flip": bytes([byte]) + data[at + 1 :], "cut": b"", "put": bytes([byte]) + data[at:]}[how]
    return data


def _build(case: dict[str, Any], work: Path) -> list[str]:
    """Write an example's files, and give the words of its command."""
    words, job = [], case["job"]
    for name, rows in _shop(case).items():
        if case["kinds"]["data"] == "database":
            with closing(sqlite3.connect(work / "shop.db")) as connection, connection:
                connection.execute(f"CREATE TABLE {name} ({', '.join(_COLUMNS[name])})")
                connection.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(_COLUMNS[name]))})", rows)
            words.append(f"data.{name}.query='SELECT * FROM {name}'")
            continue
        form = case["forms"][name]
        (work / name).mkdir()
        for number in range(form["files"]):
            data = _file(form, _COLUMNS[name], rows[number :: form["files"]], damaged=number == 0)
            (work / name / f"{number}.{form['as']}").write_bytes(data)
        words.append(f"data.{name}.path={name}" + ("" if form["files"] > 1 else f"/0.{form['as']}"))
    (work / "link").symlink_to("link")
    (work / "file.txt").write_text("not mine", encoding="utf-8")
    (work / "answers.csv").write_text(
        "customer_id,answer,date\nC0,joined,2026-07-02\nC1,拒绝 13800138000,2026-07-03\nC2,???,\n", encoding="utf-8"
    )
    words += [f"{group}={kind}" for group, kind in case["kinds"].items()] + [
        "tracking=none",
        "launch.commit=true",
        f"data.decimal={case['decimal']}",
        "launch.as_of=2026-07-01",
    ]
    words += [] if case["strict"] else ["data.max_reject_share=1"]
    if case["kinds"]["data"] == "database":
        words.append("data.url=sqlite:///shop.db")
    words = ["customers=100"] if job == "demo" else words
    words += [f"overwrite={str(case['overwrite']).lower()}", f"out={'results' if job == 'launch' else job}"]
    words += ["review.as_of=2026-07-05", "review.answers=[answers.csv]"] if job == "review" else []
    words += ["backtest.rankings=[spend,rfm]", "backtest.max_cuts=2"] if job in ("tune", "backtest") else []
    words += ["tune.trials=3"] if job == "tune" else []
    if case["yaml"] is None:
        dumped = {key: value if isinstance(value, str) and len(value) % 2 else json.dumps(value, ensure_ascii=False) for key, value in case["config"].items()}  # fmt: skip
        return [job, *words, *(f"++{key}={value}".replace("\0", "") for key, value in dumped.items())]  # no command line holds a NUL
    encoding, damage = case["yaml"]
    lines = ["# @package _global_"]
    for key, value in case["config"].items():
        nested = value
        for part in reversed(key.split(".")):
            nested = {part: nested}
        lines.append(json.dumps(nested, ensure_ascii=False)[1:-1])
    text = "\n".join(lines) + "\n"
    for wrong, place in damage:
        text = text[: (at := int(place * len(text)))] + wrong + text[at:]
    (work / "mine" / "experiment").mkdir(parents=True)
    (work / "mine" / "experiment" / "own.yaml").write_bytes(text.encode(encoding, "replace"))
    return [job, "--config-dir=mine", "+experiment=own", *words]


def _wrong(case: dict[str, Any], work: Path, ran: Ran, before: dict[str, str]) -> list[str]:
    """Say what is not as it should be after a job."""
    after, tmp = hashes(work), sorted(path.name for path in (work.parent / "tmp").iterdir())
    if ran.code is None:
        return ["took too long"]
    if frames := re.findall(r'File ".*?(\w+/\w+\.py)", line \d+, in (\w+)', ran.err.partition("Traceback")[2]):
        own = [
            frame
            for frame in frames
            if frame[0].startswith("segmenter/") or list(Path(__file__).parents[1].glob(f"src/segmenter/{frame[0]}"))
        ]
        kind = re.findall(r"^(?:\w+\.)*\w*(?:Error|Exception)\b", ran.err, re.MULTILINE)[-1:]
        return [f"traceback {kind} in {':'.join((own or frames)[-1])}"]
    if ran.code not in (0, 2):
        return [f"exit code {ran.code}: {' '.join(ran.err.split())[:100]}"]
    found = [f"left in the temporary folder: {tmp}"] if tmp else []
    if noise := re.search(r"\w+\.py:\d+: \w*Warning|panicked at \S+", ran.err):
        found.append(f"noise: {noise[0]}")
    if control := re.search(r"[\x00-\x08\x0b-\x1f\x7f\x80-\x9f]", ran.err + ran.out):
        found.append(f"control character on the terminal: {control[0]!a}")
    new = {name for name in after.keys() - before.keys() if not name.endswith(".lock")}
    if ran.code == 2:
        if not ran.err.startswith("segmenter: ") or "\n\n" in ran.err or len(ran.err) > 5000:
            found.append("no message of one paragraph")
        changed = new | {name for name in before if before[name] != after.get(name)}
        return found + [f"exit 2, but {name} changed or appeared" for name in sorted(changed)[:1]]
    folders = {path.parent.relative_to(work).as_posix(): path.parent for path in work.rglob("manifest.json")}
    ours = tuple(f"{name}/" for name in (*folders, "store", *([case["config"].get("out", "demo")] if case["job"] == "demo" else [])))
    for name in before.keys() | new:
        if before.get(name) != after.get(name) and not name.startswith(ours) and not name.endswith((".db", ".lock")):
            found.append(f"{name} changed or appeared")
    for name, folder in folders.items():
        found += torn(folder)[:1]
        if before.get(f"{name}/manifest.json") != after[f"{name}/manifest.json"]:
            found += _miscounted(case, folder)
    return found


def _miscounted(case: dict[str, Any], folder: Path) -> list[str]:
    """Say what does not add up in results."""
    found, shop, manifest = [], _shop(case), json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    mapped = case["yaml"] is not None or any(key.startswith(("data", "launch", "history", "review")) for key in case["config"])
    plain = not mapped and not any(form["damage"] for form in case["forms"].values())
    rejects = pl.read_parquet(folder / "rejects.parquet") if (folder / "rejects.parquet").exists() else None
    for name, counts in manifest.get("inputs", {}).items():  # demo has none
        if counts["rows"] != sum(counts.get(each, 0) for each in ("filtered", "dropped", "later", "rejected", "kept", "visitors")):
            found.append(f"{name}: its rows do not add up")
        if plain and name in shop and counts["rows"] != len(shop[name]) and all("".join(row).strip() for row in shop[name]):
            found.append(f"{name}: {len(shop[name])} rows written, {counts['rows']} read")
        if rejects is not None and name in shop and rejects.filter(table=name).height != counts["rejected"] + counts.get("noted", 0):
            found.append(f"{name}: rejects.parquet differs from the manifest")
    if not (folder / "invite_list.parquet").exists():
        return found
    customers, counts = pl.read_parquet(folder / "customers.parquet"), manifest["counts"]
    invited = set(pl.read_parquet(folder / "invite_list.parquet")["customer_id"])
    verdicts, left = Counter(customers["verdict"]), customers.height
    for rule, had, removed, _, rest in pl.read_csv(folder / "funnel.csv").rows():
        if (left, verdicts[rule], rest) != (had, removed, had - removed):
            found.append(f"funnel: {rule} does not add up")
        left = rest
    so = {
        "each customer once, with a verdict": customers["customer_id"].n_unique() == customers.height == counts["customers"] == verdicts.total(),
        "the eligible are counted": verdicts["eligible"] == counts["eligible"] == left,
        "the invited are eligible": invited <= set(customers.filter(verdict="eligible")["customer_id"]) and len(invited) == counts["invited"],
        "no hold-out is invited": not invited & set(customers.filter("held_out")["customer_id"]),
    }  # fmt: skip
    if not mapped and not {"ledger.use", "ledger.url", "launch.commit", "out"} & case["config"].keys():
        token = hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
        query = "SELECT customer_id FROM segmenter_invitations i JOIN segmenter_plans ON plan = id WHERE token = ? AND state || i.status = 'plannedplanned'"
        with closing(sqlite3.connect(folder.parent / "ledger.db")) as ledger:
            so["the ledger agrees"] = not counts["customers"] or {who for (who,) in ledger.execute(query, [token])} == invited
    if plain and (case["forms"]["orders"]["as"] != "parquet" or not case["forms"]["orders"]["types"]):
        odd = {
            _shop({**case, "cells": []})["orders"][row % len(shop["orders"])][1] for name, _, row, _ in case["cells"] if name == "orders"
        }
        spent: dict[str, Decimal] = {}
        for _, who, when, amount, *_ in shop["orders"]:
            if when < "2026-07-01":
                spent[who] = spent.get(who, Decimal(0)) + Decimal(amount.replace(",", ".") if who not in odd else 0)
        told = dict(customers.select("customer_id", "spend").rows())
        so["money is conserved"] = all(told.get(who, amount) == amount for who, amount in spent.items() if who not in odd)
    return found + [f"not so: {name}" for name, is_so in so.items() if not is_so]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Generating overly large repr")
def test_any_shop_and_config_ends_well_or_with_a_message(tmp_path):
    forked, place, template, kept = (
        Forked(command="SEGMENTER_FUZZ_COMMAND" in os.environ),
        *(tmp_path / name for name in ("place", "template", "kept")),
    )
    start, codes, found, known, tried = time.monotonic(), Counter[int | None](), dict[str, Path](), set[str](), dict[str, str | None]()
    (template / "work").mkdir(parents=True)
    form = {"as": "csv", "text": ["utf-8", ",", csv.QUOTE_MINIMAL, "\n"], "files": 1, "types": {}, "damage": []}
    plain = {
        "job": "launch",
        "kinds": {name: kinds[0] for name, kinds in _KINDS.items()},
        "tables": ["orders"],
        "config": {},
        "forms": {"orders": form},
        "customers": 12,
    }
    words = _build({**plain, "seed": 0, "cells": [], "yaml": None, "overwrite": False, "decimal": ".", "strict": True}, template / "work")
    assert forked(template, *words).code == 0

    def failure(case: dict[str, Any]) -> str | None:
        for folder in (place, kept):
            shutil.rmtree(folder, ignore_errors=True)
        (place / "work").mkdir(parents=True)
        if case["before"]:
            shutil.copytree(template / "work" / "results", place / "work" / "results")
            shutil.copy(template / "work" / "ledger.db", place / "work")
        words = _build(case, place / "work")
        shutil.copytree(place / "work", kept / "work", symlinks=True)
        before = hashes(place / "work")
        ran = forked(place, *words)
        codes[ran.code] += 1
        if not (wrong := _wrong(case, place / "work", ran, before)):
            return None
        name = re.sub(r"[\d']+|(?<=terminal): .*", "", wrong[0])[:150]
        folder = FOUND / hashlib.sha256(name.encode()).hexdigest()[:12]
        found[name] = folder
        if name not in known:
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(kept, folder, symlinks=True)
            (folder / "run.sh").write_text(f"cd {shlex.quote(str(folder))}/work && segmenter {shlex.join(words)}\n", encoding="utf-8")
            (folder / "said.txt").write_text(
                "\n".join([*wrong, f"exit {ran.code}, {ran.seconds:.1f} s", ran.err, ran.out]), encoding="utf-8"
            )
        return name

    def run(case: dict[str, Any]) -> None:
        key = json.dumps(case, sort_keys=True)
        if key not in tried and left[0] > 0 and not (SECONDS and time.monotonic() - start > SECONDS):
            tried[key] = failure(case)
        new = [name for name in tried.values() if name and name not in known]
        left[0] -= bool(new)
        if new and tried.get(key) == new[0]:  # made smaller, it should not become another
            raise AssertionError(new[0])

    first, number = int(os.environ.get("SEGMENTER_FUZZ_SEED", int(time.time()) if SECONDS else 0)), 0
    left = [SHRINKING]
    phases = [Phase.generate, Phase.shrink]
    options = settings(
        max_examples=min(BATCH, EXAMPLES),
        phases=phases,
        suppress_health_check=list(HealthCheck),
        database=None,
        deadline=None,
        report_multiple_bugs=False,
    )
    while time.monotonic() - start < SECONDS if SECONDS else number * BATCH < EXAMPLES:
        tried.clear()
        left[0] = SHRINKING
        try:
            seed(first + number)(options(given(_cases())(run)))()
        except AssertionError as error:
            known.add(str(error))
            print(f"seed {first + number}: {error}: {found[str(error)]}", flush=True)
        number += 1
    forked.close()
    print(f"{codes.total()} jobs, {codes.total() / (time.monotonic() - start):.2f} a second: {dict(codes)}")
    if found:
        pytest.fail("\n".join(f"{what}: {where}/run.sh" for what, where in found.items()), pytrace=False)
