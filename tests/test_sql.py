import re
import socket
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_series_equal

import segmenter
from segmenter.errors import ConfigError, InputError
from segmenter.rules import apply_rules
from segmenter.sources.mapping import canonical_tables
from segmenter.sql import FUNCTIONS, OTHERS, expression

FRAME = pl.DataFrame(
    {
        "a": [1, 2, None],
        "b": ["x", "C1", None],
        "客户编号": ["K1", None, "3"],
        "Order Date": ["2026-01-01", "2026-02-03", None],
        'in "quotes"; really': [1.5, -2.0, 0.0],
        "select": [True, False, None],
    }
)
DATE = "strptime(\"Order Date\", '%Y-%m-%d')"

HARMLESS = [
    "a * 2 + 1",
    "-a",
    "a // 2 = 0 OR a % 2 = 1 AND NOT a IS NULL",
    "b LIKE 'C%' AND 客户编号 NOT ILIKE 'k%'",
    "b ~ '^C' OR b !~* 'x' OR b REGEXP 'a|b' OR b NOT RLIKE '(x)' OR b ^@ 'C'",
    "`a` > 1",
    "a IN (1, 2) OR a NOT IN (3)",
    "a BETWEEN 0 AND 5 AND b <> ''",
    "CASE WHEN (a > 1) THEN (b) ELSE ('it''s') END",
    "CASE a WHEN 1 THEN 'one' WHEN 2 THEN 'two' END",
    "coalesce(b, nullif(客户编号, ''), '-- /* SELECT read_csv(1) ; */')",
    "upper(trim(BOTH ' ' FROM b)) || substring(b FROM 1 FOR 1)",
    "position('C' IN b) + strpos(b, 'C') + length(b)",
    "a::text || CAST(a AS VARCHAR(3))",
    "CAST(a AS DECIMAL(10, 2))",
    f"{DATE}::date >= DATE '2026-01-31' - INTERVAL '1 day'",
    f"EXTRACT(YEAR FROM {DATE}::date) + date_part('month', {DATE}::date)",
    "IF(a > 1, round(a / 3, 2), greatest(a, 0))",
    "sum(a) OVER (PARTITION BY b ORDER BY a)",
    '"in ""quotes""; really" > 0',
    '"select" IS NOT TRUE AND a IS DISTINCT FROM 1',
    "split_part(b, '\\', 1)",
    "a\n>\t0",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_harmless_is_what_polars_makes_of_it(text):
    assert_series_equal(FRAME.select(v=expression(text))["v"], FRAME.select(v=pl.sql_expr(text))["v"])


OPENS = "read_csv('{path}')"
QUERY = "SELECT a FROM " + OPENS
HARMFUL = [
    OPENS,
    "READ_PARQUET ('{path}')",
    "\"read_csv\"('{path}')",
    "`read_csv`('{path}')",
    "x.read_csv('{path}')",
    "read_csv\n\t('{path}')",
    "read_csv/**/('{path}')",
    "read_csv--\n('{path}')",
    "abs(read_json('{path}'))",
    f"({QUERY})",
    f"a IN ({QUERY})",
    f"a NOT IN ((({QUERY})))",
    f"EXISTS ({QUERY})",
    f"a > ANY({QUERY})",
    f"a = (select(a)from {OPENS})",
    f"coalesce(a, ({QUERY}))",
    f"a IN (WITH t AS ({QUERY}) SELECT a FROM t)",
    f"a IN (FROM {OPENS})",
    "a IN (VALUES (1))",
    f"ARRAY({QUERY})",
    f"a; {QUERY}",
    f"a /* '*/ + ({QUERY}) --'",
    f"$$'$$ + ({QUERY}) + $$'$$",
    f"'a' || E'\\'' || ({QUERY}) || ''",
    f"R'\\' || ({QUERY})",
    f"B'''a' || ({QUERY}) || '''",
    "a > 1 -- only these",
    "now() > 1",
    "CURRENT_DATE",
    "localtimestamp",
    "columns('.*')",
    "unnest([1, 2])",
    "generate_series(1, 1000000000)",
    "greatest()",
    "reflect('java.lang.System', 'exit', 1)",
    "'not closed",
    "a \u200b+ 1(2)",
    "{{fn abs(1)}}",
    "?",
    ":name(1)",
    "@@version",
]


@pytest.fixture
def canary(tmp_path, monkeypatch):
    """A file that says whether Polars has opened it: what is parsed wrongly says so in another way than the check."""
    path = tmp_path / "canary.csv"
    path.write_text("a\n1\n")

    def refuse(*_):
        raise AssertionError("reaches Polars")

    monkeypatch.setattr(pl, "sql_expr", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    return path


@pytest.mark.parametrize("text", HARMFUL)
def test_anything_else_never_reaches_polars(text, canary):
    with pytest.raises(ConfigError, match="should be an SQL expression of known functions"):
        expression(text.format(path=canary))


KEYS = [
    *(f"data.orders.columns.{name}" for name in ("customer_id", "time", "amount", "province", "category")),
    *("data.orders.where", "data.orders.refund", "data.customers.where", "data.customers.columns.joined"),
    *("data.events.columns.kind", "data.events.where", "data.referrals.columns.friend_id"),
]
RAW = {
    "orders": {"customer_id": ["a"], "time": ["2026-06-01"], "amount": [1.0]},
    "customers": {"customer_id": ["a"]},
    "events": {"customer_id": ["a"], "kind": ["visit"], "time": ["2026-06-01"]},
    "referrals": {"customer_id": ["a"], "friend_id": ["b"]},
}


@pytest.mark.parametrize("key", KEYS)
def test_every_key_of_sql_is_checked_and_named(key, canary):
    config = segmenter.launch_settings({"launch.as_of": "2026-07-01", key: f"coalesce(read_csv('{canary}'), 1)"})
    raw = {name: pl.DataFrame(columns) for name, columns in RAW.items()}
    with pytest.raises(InputError, match=rf"{re.escape(key)}: .*\bread_csv\b"):
        canonical_tables(raw, config.data, config.launch)


def test_so_is_a_custom_rule(canary):
    custom = [{"name": "own", "keep": f"spend IN (SELECT a FROM read_csv('{canary}'))"}]
    config = segmenter.launch_settings({"rules.custom": custom, "rules.recency.max_days": None})
    frame = pl.DataFrame({"customer_id": ["a"], "orders": [1], "spend": [1], "staff": False, "blocked": False, "do_not_contact": False})
    with pytest.raises(ConfigError, match=r"rules\.custom\.0\.keep .*SELECT"):
        apply_rules(frame, config.rules, config.launch)


def test_a_column_of_any_name_is_no_sql():
    names = ["read_csv('/etc/passwd')", "a -- b", 'say "hi"; now()', "订单 金额.（元）"]
    for name in names:
        raw = {"orders": pl.DataFrame({"customer_id": ["a"], "time": ["2026-06-01"], name: [1.0]})}
        config = segmenter.launch_settings({"launch.as_of": "2026-07-01", "data.orders.columns.amount": name})
        assert canonical_tables(raw, config.data, config.launch).orders.single()["amount"].to_list() == [100]


@pytest.mark.parametrize(
    "text",
    [
        " AND ".join(["a > 1"] * 2_000),
        " OR ".join(f"b = '{n}'" for n in range(100_000)),
        " || ".join(["b"] * 1_000),
        " + ".join(["a"] * 30_000),
        " = ".join(["a"] * 30_000),
        "(" * 500 + "a > 1" + ")" * 500,
        "abs(" * 500 + "a" + ")" * 500,
        "[" * 500 + "a" + "]" * 500,
        "NOT " * 5_000 + "a > 1",
        "- " * 5_000 + "a",
        "CASE WHEN a > 1 THEN 1 ELSE " * 500 + "0" + " END" * 500,
        "CASE " + " ".join(f"WHEN a = {n} THEN {n}" for n in range(5_000)) + " END",
        "a" + "::int" * 20_000,
        "a" + ".b" * 20_000,
        "(" * 30 + "b" + (" || b" * 50 + ")") * 30,
        "a" + " BETWEEN 0 AND a" * 40,
        "(" * 30 + "a" + " BETWEEN 0 AND 1)" * 30,
        "nullif(" * 30 + "a" + ", 1)" * 30,
        f"b = '{'x' * 1_000_000}'",
    ],
    ids=lambda text: text[:12],
)
def test_what_is_too_long_or_too_deep_has_a_bound(text):
    with pytest.raises(ConfigError, match="at most") as refused:
        expression(text)
    assert len(str(refused.value)) < 500


@pytest.mark.parametrize(
    "text",
    [
        " AND ".join(f"a <> {n}" for n in range(390)),
        "(" + ") AND (".join([" AND ".join(f"a <> {n}" for n in range(200))] * 10) + ")",
        "CASE " + " ".join(f"WHEN b = 'x{n}' THEN a * {n}" for n in range(390)) + " END",
        *(sign.join([of] * 200) for sign, of in ((" || ", "b"), (" + ", "a"), (" // ", "a"), (" % ", "a"), (" = ", '"select"'))),
        "a" + "::int" * 200,
        '"select"' + " IN (true)" * 200,
        "(" * 39 + "a > 1" + ")" * 39,
        f"NULLIF(a BETWEEN 0 AND {'nullif(' * 7}a{', 1)' * 7}, true)",
        " AND ".join(["a BETWEEN 0 AND 1"] * 60),
        f"a IN ({', '.join(map(str, range(10_000)))})",
        f"b = '{'x' * 99_000}'",
    ],
    ids=lambda text: text[:12],
)
def test_up_to_the_bound_it_is_computed(text):
    assert len(FRAME.select(expression(text))) == 3


numbers = st.recursive(
    st.one_of(st.just("a"), st.integers(0, 99).map(str), st.sampled_from(["1.5", "length(b)", "CAST(NULL AS DOUBLE)"])),
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from("+-*"), inner),
        st.builds("{}({})".format, st.sampled_from(["abs", "ROUND", "sign "]), inner),
        st.builds("coalesce({}, {})".format, inner, inner),
        st.builds("CASE WHEN {} > {} THEN {} ELSE {} END".format, inner, inner, inner, inner),
        st.builds("CAST({} AS DOUBLE)".format, inner),
    ),
    max_leaves=8,
)
conditions = st.recursive(
    st.one_of(
        st.builds("{} {} {}".format, numbers, st.sampled_from(["=", "<>", "<", ">="]), numbers),
        st.builds("{} IS NOT NULL".format, numbers),
        st.builds("a IN ({}, 2)".format, st.integers(0, 9)),
        st.text("ab'\"`;-/*$\\%(", max_size=8).map(lambda text: "b <> '{}'".format(text.replace("'", "''"))),
    ),
    lambda inner: st.one_of(
        st.builds("({}) {} ({})".format, inner, st.sampled_from(["AND", "or"]), inner), st.builds("NOT ({})".format, inner)
    ),
    max_leaves=4,
)


@settings(max_examples=40, deadline=None)
@given(conditions)
def test_random_expressions_of_the_grammar_are_computed_as_polars_does(text):
    assert_series_equal(FRAME.select(v=expression(text))["v"], FRAME.select(v=pl.sql_expr(text))["v"])


names = st.text("abcdefghijklmnopqrstuvwxyz_ABCXYZ019", min_size=1, max_size=12).filter(lambda name: name.lower() not in FUNCTIONS | OTHERS)


@settings(max_examples=40, deadline=None)
@given(conditions, st.one_of(names, st.sampled_from(["scan_csv", "READ_NDJSON", "reading", "客户"])), st.integers(0, 1_000))
def test_any_other_name_before_a_bracket_is_refused(text, name, seed):
    places = [match.start() for match in re.finditer(r"\ba\b", re.sub(r"'[^']*'", lambda found: "'" * len(found[0]), text))] or [0]
    place = places[seed % len(places)]
    with pytest.raises(ConfigError, match="known functions"):
        expression(f"{text[:place]}{name}('/etc/passwd'){text[place:].removeprefix('a')}")


def test_the_documents_list_the_functions():
    page = (Path(__file__).parents[1] / "docs" / "guide" / "input.md").read_text(encoding="utf-8")
    (listed,) = re.findall(r'\?\?\? note "The functions"\n(.*?)\n\n', page, flags=re.DOTALL)
    assert re.findall(r"`(\w+)`", listed) == sorted(FUNCTIONS)


@pytest.mark.parametrize("name", sorted(FUNCTIONS - {"cast", "try_cast", "safe_cast", "extract", "position", "substring", "datetime"}))
def test_polars_has_every_function(name):
    try:
        pl.sql_expr(f"{name}(a, 1, 2, 3, 4)")
    except pl.exceptions.PolarsError as error:
        said = str(error)
    else:
        said = ""
    assert "unsupported function" not in said
