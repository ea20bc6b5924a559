"""Random shops, files, damage, configs and jobs: each ends in exit 0 with counts that add up, or in exit 2 with a message.

SEGMENTER_FUZZ_SECONDS=3600 looks for so long, SEGMENTER_FUZZ_EXAMPLES=10000 at so many; SEGMENTER_FUZZ_COMMAND=1 starts each job as a
user does. What fails is kept in SEGMENTER_FUZZ_FOUND (by default in the temporary folder), each with its files and its command.
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
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import polars as pl
import pytest
import xlsxwriter
from forked import Forked, Ran, hashes, plan_of, torn
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from segmenter.settings import BacktestJob, DemoJob, LaunchJob, ReviewJob, TuneJob

SECONDS, EXAMPLES = float(os.environ.get("SEGMENTER_FUZZ_SECONDS", "0")), int(os.environ.get("SEGMENTER_FUZZ_EXAMPLES", "30"))
FOUND = Path(os.environ.get("SEGMENTER_FUZZ_FOUND", tempfile.gettempdir() + "/segmenter-fuzz"))
BATCH, SHRINKING = 50, 40  # examples with one seed; further runs to make a failure small
AS_OF = date(2026, 7, 1)

# What people, exports and attackers put into cells and settings.
_TEXTS = [
    "", " ", "0", "-0", "1", "-5", "007", "1e400", "1e20", "-1e18", "9" * 40, "1.5", "1,5", "1.234,56", "1,234.56", "12 345,67", "¥12.50", "￥1，234", "１２３", "١٢٣",
    "12元", "(5.00)", "5-", "50%", "$5", "EUR 3", "NaN", "nan", "inf", "-Infinity", "null", "NULL", "None", "N/A", "#N/A", "#REF!", "-", "—", "是", "否", "yes",
    "true", "2026-06-30", "30/06/2026", "06/30/26", "2026-02-30", "0000-00-00", "0001-01-01", "9999-12-31 23:59:59", "2026-06-30T24:00:00", "2026-06-30T10:00:00+14:00",
    "2026-13-45", "1900-01-00", "46203", "46203.75", "1782777600", "1782777600000", "2026年6月30日", "1447/01/01", "1969-12-31 23:59:60", "-0044-03-15",
    "四川", "四川省", "中国四川省成都市武侯区", "台灣", "Île-de-France", "'; DROP TABLE orders; --", '"', "'", "a,b;c\td", "a\nb", "a\r\nb", "\r", "\x00", "\x1b[31mred\x1b[0m", "\x07",
    "\u202egnp.exe", "\u2066x", "\ufeff", "\u200b", "\ufffe", "e\u0301", "👨‍👩‍👧", "=1+1", "=HYPERLINK(\"http://x\")", "@SUM(A1)", "+49 151 23456789", "13800138000", "a@b.cn", "<script>alert(1)</script>",
    "</style>", "{{7*7}}", "${launch.name}", "${oc.env:HOME}", "$(id)", "`id`", "%s%n", "\\", "\\N", "x" * 5000, "CON", "a/b", ".", "C1", "c1 ", "order_id", "amount", "spend",
]  # fmt: skip
_SQL = [
    "amount", "AMOUNT", "amount * 2", "amount / 0", "-amount", "amount > 0", "customer_id", "NOT", "1", "NULL", "amount +", "SUM(amount)", "COUNT(*) OVER ()", "CAST(amount AS INT)",
    "amount > 'x'", "LOWER(province)", "time", "time < '2026-06-01'", "province LIKE '四%'", "CASE WHEN amount > 5 THEN 'a' ELSE 'b' END", "read_csv('/etc/passwd')", "ÄÖ", "\"no such\"", "' ",
    "(SELECT 1)", "1; DROP TABLE x", " AND ".join(["amount > 0"] * 2000), "(" * 500 + "1" + ")" * 500, "status IN ('done')", "COALESCE(note, 'x')", "spend > 100", "orders >= 2", "province",
]  # fmt: skip
_TYPES = [
    pl.Int8, pl.Int32, pl.Int64, pl.UInt64, pl.Float32, pl.Float64, pl.Decimal(38, 2), pl.Decimal(38, 20), pl.Boolean, pl.Date, pl.Time, pl.Datetime("ms"), pl.Datetime("us"),
    pl.Datetime("ns"), pl.Datetime("us", "America/New_York"), pl.Duration("us"), pl.Binary, pl.Categorical, pl.List(pl.String), pl.List(pl.Int64), pl.Struct({"a": pl.String}), pl.Null,
]  # fmt: skip
_YAML = ["\t", "a: b: c\n", "\ufeff", "- x\n", "launch: {}\n", "k: &a [*a]\n", "? :\n", "x: !!python/object/apply:os.system [id]\n", "x: !mine 1\n", "{", "'", "# @package x\n", "---\n", "%YAML 9\n", "x: 1_0:1_0\n", "<<: 1\n", "defaults: [no]\n", "\x00", "\x85", "1: 2\n", "null: null\n"]  # fmt: skip
_COLUMNS = {
    "orders": ["order_id", "customer_id", "time", "amount", "province", "status"],
    "customers": ["customer_id", "name", "province", "joined", "staff", "do_not_contact", "phone", "note"],
    "events": ["customer_id", "kind", "time"],
    "referrals": ["customer_id", "friend_id", "time"],
}
# Keys that name places get names of places in the example's own folder.
_PLACES = {
    "out": ["results", "elsewhere", "a/b/c", "orders", ".", "shop", "x" * 300, "ünï 文件", "file.txt", "link"],
    "ledger.url": [
        "sqlite:///ledger.db",
        "sqlite:///results/l.db",
        "sqlite:///orders.csv",
        "sqlite://",
        "postgresql://me:pw@127.0.0.1:9/x",
        "mysql://x",
        "x",
    ],
    "history.store": ["store", "results", "orders", "off", ""],
    "data.url": ["sqlite:///shop.db", "sqlite:///none.db", "postgresql://me:pw@127.0.0.1:9/x"],
    "data.dir": ["shop", "."],
    "review.answers": [["answers.csv"], ["results/call_sheets"], ["none"], ["orders"], ["."]],
    "results": ["results", "none", "shop", "."],
    **{f"data.{name}.path": [f"{name}*", ".", "no.csv", "*", "link", "**"] for name in _COLUMNS},
}
_MODELS: dict[str, type[BaseModel]] = {"launch": LaunchJob, "backtest": BacktestJob, "tune": TuneJob, "review": ReviewJob, "demo": DemoJob}
_KINDS = {
    "scoring": ["weighted", "spend", "decayed", "recency", "rfm", "clv", "learned", "auto"],
    "plan": ["simple", "allocated"],
    "segments": ["kmeans"],
}
_texts = st.one_of(st.sampled_from(_TEXTS), st.sampled_from(_TEXTS), st.text(max_size=8))
_junk = st.one_of(
    _texts, st.integers(-3, 3), st.sampled_from([10**6, 10**9, 2**63, -(2**63) - 1, 10**20, 1e300, -1e-300, 0.5]), st.none(), st.booleans(), st.lists(_texts, max_size=2), st.just({"a": 1})
)  # fmt: skip


def _values(kind: Any, bounds: tuple[Any, ...] = ()) -> st.SearchStrategy[Any]:
    """Values of a setting's own type, its ends among them."""
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
        ends = [end + step for end in ends for step in (-1, 0, 1)] + [0.5 * end for end in ends if kind is float]
        near = st.integers(1, 100) if kind is int else st.floats(0, 1)
        return st.one_of(near, near, st.integers(1, 3000), *([st.sampled_from(ends)] if ends else []))
    if kind is date:
        return st.one_of(st.dates(date(2026, 1, 1), date(2026, 7, 5)), st.dates(date(1979, 12, 31), date(2200, 1, 2))).map(str)
    return {bool: st.booleans(), NoneType: st.none()}.get(kind, _texts)


def _leaves(model: type[BaseModel], kinds: dict[str, str], prefix: str = "") -> list[tuple[str, st.SearchStrategy[Any]]]:
    """Walk a config's model: every key, and what it may be."""
    found = []
    for name, field in model.model_fields.items():
        key, choices = prefix + name, [field.annotation, *get_args(field.annotation)]
        choices += [one for choice in choices for one in get_args(choice)]
        models = [one for one in choices if isinstance(one, type) and issubclass(one, BaseModel)]
        of_kind = [one for one in models if kinds.get(key) in get_args(getattr(one.model_fields.get("kind"), "annotation", None))]
        if key in ("tracking", "engine", "rankings") or name == "kind":
            continue
        if models and get_origin(field.annotation) is not tuple:
            found += _leaves((of_kind or models)[0], kinds, f"{key}.")
        elif key in _PLACES:
            found.append((key, st.sampled_from(_PLACES[key])))
        elif re.search(r"data\..*\.(where|refund|columns\.\w+)$|keep$", key):
            found.append((key, st.sampled_from(_SQL)))
        else:
            found.append((key, _values(field.rebuild_annotation())))
    return found


@st.composite
def _cases(draw: st.DrawFn) -> dict[str, Any]:
    """A whole example as plain values: what `_build` makes files of."""
    job = draw(st.sampled_from(["launch"] * 12 + ["review", "review", "backtest", "tune", "demo"]))
    tables = ["orders", *(name for name in ("customers", "events", "referrals") if draw(st.booleans()))]
    database = draw(st.integers(0, 9)) == 9
    kinds = {name: draw(st.sampled_from(choices)) if draw(st.booleans()) else choices[0] for name, choices in _KINDS.items()}
    kinds["data"] = "database" if database else "files"
    leaves = _leaves(_MODELS[job], kinds)
    junk = draw(st.integers(0, 5)) == 5
    config = {}
    for _ in range(draw(st.sampled_from([0, 0, 1, 1, 2, 3, 6]))):
        key, values = draw(st.sampled_from(leaves))
        config[key] = draw(_junk if junk and key not in _PLACES else values)
    cells = st.tuples(st.sampled_from(tables), st.integers(0, 7), st.integers(0, 60), _texts)
    forms = {
        name: {
            "as": draw(st.sampled_from(["csv"] * 4 + ["parquet"] * 4 + ["xlsx"])),
            "encoding": draw(st.sampled_from(["utf-8"] * 3 + ["utf-8-sig", "gb18030", "utf-16", "utf-16-le", "big5", "latin-1"])),
            "separator": draw(st.sampled_from(",,,;\t|")),
            "quotes": draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])),
            "ends": draw(st.sampled_from(["\n", "\n", "\r\n", "\r"])),
            "gz": draw(st.integers(0, 9)) == 9,
            "files": draw(st.sampled_from([1, 1, 1, 2, 3])),
            "types": draw(st.dictionaries(st.integers(0, 7), st.integers(0, len(_TYPES) - 1), max_size=2)),
            "damage": draw(st.lists(st.tuples(st.sampled_from(["flip", "cut", "put"]), st.floats(0, 1), st.integers(0, 255)), max_size=3)) if draw(st.integers(0, 7)) == 7 else [],
        }
        for name in tables
    }  # fmt: skip
    yaml = draw(st.lists(st.tuples(st.sampled_from(_YAML), st.floats(0, 1)), max_size=2)) if draw(st.integers(0, 5)) == 5 else None
    return {
        "job": job, "kinds": kinds, "customers": draw(st.integers(1, 60)), "seed": draw(st.integers(0, 9)), "tables": tables, "config": config, "forms": forms,
        "cells": draw(st.lists(cells, max_size=6)) if draw(st.booleans()) else [], "yaml": yaml, "yaml_as": draw(st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16"])) if yaml else "utf-8",
        "before": job == "review" or draw(st.booleans()), "overwrite": draw(st.booleans()), "decimal": draw(st.sampled_from("...,")),
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
            shop["orders"].append([f"O{len(shop['orders'])}", who, str(when), amount, province, "done"])
        shop["events"] += [[who, chance.choice(["visit", "share"]), "2026-06-01 10:00:00"] for _ in range(chance.randrange(3))]
        shop["referrals"] += [[who, chance.choice(ids), "2026-05-01"] for _ in range(chance.randrange(2))]
    shop["orders"].append([f"O{len(shop['orders'])}", ids[0], "2026-06-30 10:00:00", "12.50", "四川省", "done"])
    if case["decimal"] == ",":
        for row in shop["orders"]:
            row[3] = row[3].replace(".", ",")
    for name, column, row, text in case["cells"]:
        if shop[name]:
            shop[name][row % len(shop[name])][column % len(_COLUMNS[name])] = text
    return {name: shop[name] for name in case["tables"]}


def _series(name: str, cells: list[str], dtype: Any) -> pl.Series:
    """A column in a type of its own: its cells where they can be cast, else the ends of the type."""
    ends = [0, 2**63 - 1, -(2**63), 1, -1]
    if dtype in (pl.List, pl.Struct):
        return pl.Series(name, [[cell] if dtype == pl.List else {"a": cell} for cell in cells]).cast(dtype, strict=False)
    text = pl.Series(name, cells, dtype=pl.String)
    try:
        cast = (
            text.str.to_datetime(strict=False).cast(dtype, strict=False)
            if dtype.is_temporal() and dtype != pl.Duration
            else text.cast(dtype, strict=False)
        )
        if cast.null_count() < len(cells) or dtype == pl.Null:
            return cast
        return pl.Series(name, [ends[at % 5] for at in range(len(cells))], dtype=pl.Int64).cast(dtype, strict=False)
    except pl.exceptions.PolarsError:
        return text


def _bytes(case: dict[str, Any], name: str, rows: list[list[str]]) -> tuple[str, bytes]:
    """A table as a file: the ending of its name, and what is in it."""
    form, columns, file = case["forms"][name], _COLUMNS[name], io.BytesIO()
    if form["as"] == "parquet":
        frame = pl.DataFrame([[row[at] for row in rows] for at in range(len(columns))], schema=dict.fromkeys(columns, pl.String))
        types = {columns[at % len(columns)]: _TYPES[kind] for at, kind in form["types"].items()}
        frame.with_columns(_series(each, frame[each].to_list(), dtype) for each, dtype in types.items()).write_parquet(file)
    elif form["as"] == "xlsx":
        with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
            sheet = book.add_worksheet()
            for number, row in enumerate([columns, *rows]):
                for column, cell in enumerate(row):
                    sheet.write_string(number, column, cell)
    else:
        text = io.StringIO()
        csv.writer(text, delimiter=form["separator"], quoting=form["quotes"], lineterminator=form["ends"]).writerows([columns, *rows])
        file.write(text.getvalue().encode(form["encoding"], "replace"))
    data = gzip.compress(file.getvalue(), mtime=0) if form["gz"] and form["as"] == "csv" else file.getvalue()
    return form["as"] + (".gz" if form["gz"] and form["as"] == "csv" else ""), data


def _damaged(data: bytes, damage: list[tuple[str, float, int]]) -> bytes:
    for how, place, byte in damage:
        at = int(place * len(data))
        data = data[:at] + {"flip": bytes([byte]) + data[at + 1 :], "cut": b"", "put": bytes([byte]) + data[at:]}[how]
    return data


def _build(case: dict[str, Any], work: Path) -> list[str]:
    """Write an example's files, and give the words of its command."""
    shop = _shop(case)
    if case["kinds"]["data"] == "database":
        with closing(sqlite3.connect(work / "shop.db")) as connection, connection:
            for name, rows in shop.items():
                connection.execute(f"CREATE TABLE {name} ({', '.join(_COLUMNS[name])})")
                connection.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(_COLUMNS[name]))})", rows)
        (work / "shop.db").write_bytes(_damaged((work / "shop.db").read_bytes(), case["forms"]["orders"]["damage"]))
        words = ["data.url=sqlite:///shop.db", *(f"data.{name}.query='SELECT * FROM {name}'" for name in shop)]
    else:
        words = []
        for name, rows in shop.items():
            form = case["forms"][name]
            parts = [rows[at :: form["files"]] for at in range(form["files"])]
            for number, part in enumerate(parts):
                ending, data = _bytes(case, name, part)
                path = work / f"{name}.{ending}" if len(parts) == 1 else work / name / f"{number}.{ending}"
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(_damaged(data, form["damage"] if number == 0 else []))
            words.append(f"data.{name}.path={name if len(parts) > 1 else path.name}")
    (work / "link").symlink_to("link")
    (work / "file.txt").write_text("not mine", encoding="utf-8")
    (work / "answers.csv").write_text(
        "customer_id,answer,date\nC0,joined,2026-07-02\nC1,拒绝 13800138000,2026-07-03\nC2,???,\n", encoding="utf-8"
    )
    words = {
        "demo": ["customers=100"],
        "review": [*words, "review.as_of=2026-07-05", "review.answers=[answers.csv]"],
    }.get(case["job"], words)
    if case["job"] != "demo":
        words += [f"data={case['kinds']['data']}", "tracking=none", f"data.decimal={case['decimal']}", f"launch.as_of={AS_OF}"]
        words += [f"{group}={kind}" for group, kind in case["kinds"].items() if group in _KINDS]
    words += [f"overwrite={str(case['overwrite']).lower()}", f"out={'results' if case['job'] == 'launch' else case['job']}"]
    if case["job"] in ("tune", "backtest"):
        words += ["backtest.rankings=[spend,rfm]", "backtest.most=2", *(["tune.trials=3"] if case["job"] == "tune" else [])]
    if case["yaml"] is None:
        return [case["job"], *words, *(f"++{key}={value if isinstance(value, str) and len(value) % 2 else json.dumps(value, ensure_ascii=False)}" for key, value in case["config"].items())]  # fmt: skip
    tree: dict[str, Any] = {}
    for key, value in case["config"].items():
        *parents, leaf = key.split(".")
        branch = tree
        for parent in parents:
            branch = branch.setdefault(parent, {})
        branch[leaf] = value
    text = "# @package _global_\n" + "\n".join(f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in tree.items()) + "\n"
    for wrong, place in case["yaml"]:
        text = text[: (at := int(place * len(text)))] + wrong + text[at:]
    (work / "mine" / "experiment").mkdir(parents=True)
    (work / "mine" / "experiment" / "own.yaml").write_bytes(text.encode(case["yaml_as"], "replace"))
    return [case["job"], "--config-dir=mine", "+experiment=own", *words]


def _wrong(case: dict[str, Any], work: Path, ran: Ran, before: dict[str, str]) -> list[str]:  # noqa: PLR0912
    """Say what is not as it should be after a job."""
    after, tmp = hashes(work), sorted(path.name for path in (work.parent / "tmp").iterdir())
    found = [f"left in the temporary folder: {tmp}"] if tmp else []
    if ran.code is None:
        return [*found, "took too long"]
    if trace := re.findall(r'File ".*?(\w+/\w+\.py)", line \d+, in (\w+)', ran.err.partition("Traceback")[2]):
        own = [place for place in trace if (Path(__file__).parents[1] / "src/segmenter" / place[0]).exists() or "segmenter/" in place[0]]
        kind = re.findall(r"^((?:\w+\.)+\w+|\w*(?:Error|Exception))(?::|$)", ran.err, re.MULTILINE)
        return [f"traceback {kind[-1:]} in {':'.join((own or trace)[-1])}"]
    if ran.code not in (0, 2):
        return [f"exit code {ran.code}: {' '.join(ran.err.split())[:100]}"]
    if noise := re.search(r"\S+\.py:\d+: \w*Warning|panicked at \S+", ran.err):
        found.append(f"noise: {noise[0]}")
    if control := re.search(r"[\x00-\x08\x0b-\x1f\x7f]|[\u202a-\u202e]", ran.err + ran.out):
        found.append(f"control character {control[0]!r} on the terminal")
    if ran.code == 2:
        if not ran.err.startswith("segmenter: ") or "\n\n" in ran.err or len(ran.err) > 5000:
            found.append("no message of one paragraph")
        changed = {name for name in before if before[name] != after.get(name)} | {
            name for name in after.keys() - before if not name.endswith(".lock")
        }
        return found + [f"exit 2, but {name} changed or appeared" for name in sorted(changed)[:1]]
    folders = [path.parent for path in work.rglob("manifest.json")]
    found += [f"input {name} changed" for name in before if name not in ("ledger.db", ".ledger.db.lock") and before[name] != after.get(name) and work / name.split("/")[0] not in folders][:1]  # fmt: skip
    kept = {"ledger.db", ".ledger.db.lock", *before, *(f"store/{name}" for name in hashes(work / "store"))}
    stray = [
        name
        for name in after
        if name not in kept and not any((work / name).is_relative_to(each) for each in folders) and case["job"] != "demo"
    ]
    found += [f"stray file {name}" for name in stray if not name.endswith((".db", ".lock"))][:1]
    for folder in folders:
        found += torn(folder)[:1]
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        if before.get(f"{folder.relative_to(work)}/manifest.json") != after[f"{folder.relative_to(work)}/manifest.json"]:
            found += _miscounted(case, folder, manifest)
    return found


def _miscounted(case: dict[str, Any], folder: Path, manifest: dict[str, Any]) -> list[str]:
    """Say what does not add up in results."""
    found, shop, plain = [], _shop(case), not any(form["damage"] for form in case["forms"].values())
    asked = [key for key in case["config"] if key.startswith(("data", "launch", "history", "review"))] or case["yaml"] is not None
    rejects = pl.read_parquet(folder / "rejects.parquet") if (folder / "rejects.parquet").exists() else None
    for name, counts in manifest["inputs"].items():
        told = sum(counts.get(each, 0) for each in ("filtered", "later", "rejected", "kept", "visitors"))
        if counts["rows"] != told:
            found.append(f"{name}: {counts['rows']} rows are not {told}")
        blank = any(name == each for each, *_ in case["cells"]) and any(not "".join(row).strip() for row in shop.get(name, []))
        if name in shop and plain and not asked and not blank and counts["rows"] != len(shop[name]):
            found.append(f"{name}: {len(shop[name])} rows written, {counts['rows']} read")
        if rejects is not None and rejects.filter(table=name).height != counts["rejected"] + counts.get("noted", 0):
            found.append(f"{name}: rejects.parquet differs from the manifest")
    if not (folder / "invite_list.parquet").exists():
        return found
    customers, invited = pl.read_parquet(folder / "customers.parquet"), pl.read_parquet(folder / "invite_list.parquet")
    funnel, counts = pl.read_csv(folder / "funnel.csv"), manifest["counts"]
    verdicts = Counter(customers["verdict"].to_list())
    eligible = set(customers.filter(verdict="eligible")["customer_id"])
    left = customers.height
    for rule, had, removed, _, rest in funnel.rows():
        if (had, had - removed) != (left, rest) or verdicts[rule] != removed:
            found.append(f"funnel: {rule} does not add up")
        left = rest
    checks = {
        "each customer once": customers["customer_id"].n_unique() == customers.height == counts["customers"] == verdicts.total(),
        "the eligible are counted": len(eligible) == counts["eligible"] == left,
        "the invited are eligible": set(invited["customer_id"]) <= eligible and invited.height == counts["invited"],
        "no hold-out is invited": not set(invited["customer_id"]) & set(customers.filter("held_out")["customer_id"]),
    }
    ledger = folder.parent / "ledger.db"
    if not {"ledger.use", "ledger.url"} & case["config"].keys():
        planned = [who for who, status in plan_of(folder) if status == "planned"] if ledger.exists() else []
        checks["the ledger agrees"] = planned == sorted(invited["customer_id"])
    types = {_TYPES[kind] for kind in case["forms"]["orders"]["types"].values()} if case["forms"]["orders"]["as"] == "parquet" else ()
    if plain and not asked and not types:
        odd = {shop["orders"][row % len(shop["orders"])][1] for name, _, row, _ in case["cells"] if name == "orders"}
        spent: Counter[str] = Counter()
        for _, who, when, amount, *_ in shop["orders"]:
            if who not in odd and when < str(AS_OF):
                spent[who] += Decimal(amount.replace(",", "."))  # type: ignore[assignment]
        told = dict(customers.select("customer_id", "spend").rows())
        checks["money is conserved"] = all(who not in told or told[who] == amount for who, amount in spent.items())
    return found + [f"not so: {name}" for name, so in checks.items() if not so]


@pytest.mark.slow
def test_any_shop_and_config_ends_well_or_with_a_message(tmp_path):
    forked = Forked(command="SEGMENTER_FUZZ_COMMAND" in os.environ)
    start, known, cache, count = time.monotonic(), {}, {}, Counter()
    template = tmp_path / "template"
    template.mkdir()
    plain = {"job": "launch", "kinds": {"data": "files", "scoring": "weighted", "plan": "simple", "segments": "kmeans"}, "customers": 12, "seed": 0, "tables": ["orders"],
             "config": {}, "cells": [], "yaml": None, "overwrite": False, "decimal": ".", "forms": {"orders": {"as": "csv", "encoding": "utf-8", "separator": ",", "quotes": 0, "ends": "\n", "gz": False, "files": 1, "damage": [], "types": {}}}}  # fmt: skip
    (template / "work").mkdir()
    assert forked(template, *_build(plain, template / "work")).code == 0
    place, left = tmp_path / "place", [SHRINKING]

    def failure(case: dict[str, Any]) -> str | None:
        shutil.rmtree(place, ignore_errors=True)
        (place / "work").mkdir(parents=True)
        if case["before"]:
            for name in ("results", "ledger.db", ".ledger.db.lock"):
                (shutil.copytree if name == "results" else shutil.copy)(template / "work" / name, place / "work" / name)
        words = _build(case, place / "work")
        kept, before = place.with_name("kept"), hashes(place / "work")
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(place / "work", kept, symlinks=True)
        ran = forked(place, *words)
        count[ran.code] += 1
        if not (wrong := _wrong(case, place / "work", ran, before)):
            return None
        name = re.sub(r"[\d']+", "", wrong[0])[:150]
        if name not in known:
            folder = FOUND / hashlib.sha256(name.encode()).hexdigest()[:12]
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(kept, folder / "work", symlinks=True)
            (folder / "run.sh").write_text(f"cd {shlex.quote(str(folder))}/work && segmenter {shlex.join(words)}\n", encoding="utf-8")
            (folder / "said.txt").write_text(
                "\n".join([*wrong, "", f"exit {ran.code}, {ran.seconds:.1f} s", ran.err, ran.out]), encoding="utf-8"
            )
            (folder / "case.json").write_text(json.dumps(case, ensure_ascii=False), encoding="utf-8")
        return name

    def run(case: dict[str, Any]) -> None:
        key = json.dumps(case, sort_keys=True)
        if key not in cache and (left[0] > 0 or not cache) and not (SECONDS and time.monotonic() - start > SECONDS):
            cache[key] = failure(case)
        found = cache.get(key)
        left[0] -= any(each not in known for each in cache.values() if each)
        if found and found not in known:
            raise AssertionError(found)

    first = int(os.environ.get("SEGMENTER_FUZZ_SEED", "0" if not SECONDS else str(int(time.time()))))
    for number in range(first, first + (10**9 if SECONDS else -(-EXAMPLES // BATCH))):
        cache.clear()
        left[0] = SHRINKING
        checks = settings(max_examples=min(BATCH, EXAMPLES), database=None, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate, Phase.shrink], report_multiple_bugs=False)  # fmt: skip
        try:
            seed(number)(checks(given(_cases())(run)))()
        except AssertionError as error:
            known[str(error)] = FOUND / hashlib.sha256(str(error).encode()).hexdigest()[:12]
            print(f"seed {number}: {error}: {known[str(error)]}", flush=True)
        if SECONDS and time.monotonic() - start > SECONDS:
            break
    forked.close()
    print(f"{count.total()} jobs, {count.total() / (time.monotonic() - start):.2f} a second: {dict(count)}")
    if known:
        pytest.fail("\n".join(f"{what}: {where}/run.sh" for what, where in known.items()), pytrace=False)
