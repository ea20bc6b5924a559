"""SQL of the config: an expression of known functions, and nothing else."""

import re
from dataclasses import dataclass

import polars as pl

from segmenter.errors import ConfigError, nearest


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Polars knows more: what reads files, asks the clock, or gives more or fewer values than rows is left out.
FUNCTIONS = _words(
    """
    bit_length char_length character_length concat concat_ws ends_with initcap left length lower lpad ltrim octet_length position
    regexp_like regexp_replace replace reverse right rpad rtrim split_part starts_with string_to_array strpos substr substring trim upper
    abs acos acosd asin asind atan atan2 atan2d atand bit_and bit_count bit_or bit_xor cbrt ceil ceiling cos cosd cot cotd degrees div exp
    floor greatest least ln log log10 log1p log2 mod pi pow power radians round sign sin sind sqrt tan tand trunc truncate
    date date_part date_trunc datetime day dayofmonth dayofweek dayofyear extract hour minute month quarter second strftime strptime time
    timestamp week year
    cast coalesce if ifnull nullif safe_cast try_cast
    approx_quantile avg corr count covar covar_pop covar_samp first last max median min quantile_cont quantile_disc stddev stddev_samp
    stdev stdev_samp sum var var_samp variance
    array_agg array_contains array_dot_product array_get array_inner_product array_length array_lower array_mean array_reverse array_sum
    array_to_string array_unique array_upper group_concat listagg string_agg
    cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank row_number
    """
)
_OTHERS = _words(  # words before a bracket that are no functions: of SQL, and types
    """
    all and any as between by case distinct else escape filter for from ilike in is like not or order over regexp rlike some then when
    where xor bigint binary char character dec decimal double float int integer numeric nvarchar smallint string text tinyint varbinary
    varchar
    """
)
_NO_ARGUMENTS = frozenset({"count", "cume_dist", "dense_rank", "percent_rank", "pi", "rank", "row_number"})
_CLOCK = re.compile(r"current_(?:date|time|timestamp)|localtime(?:stamp)?")
_QUERY = frozenset({"delete", "from", "insert", "merge", "select", "table", "update", "values", "with"})  # where a bracket begins with it
# As Polars parts a text into words; where it might part one otherwise, the word is none of the known ones.
_TOKEN = re.compile(
    r"""(?P<quoted>'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`)|(?P<word>(?:\w|[^\x00-\x7f\s])+)|(?P<gap>\s+)"""
    r"""|(?P<comment>--|/\*|\*/)|(?P<sign>::|\^@|\|\||[<>=!]=|<>|//|[-+*/%=<>!~|&^.,:()\[\]])"""
)
_LONGEST, _DEEPEST = 100_000, 40  # Polars reads 50 levels
# A chain of operators is a tree as deep as it is long: Polars' stack ends at some hundreds. BETWEEN doubles what stands before it.
_HEAVIEST = 400
_WEIGHTS = {
    **dict.fromkeys(("and", "or", "when"), 1),
    **dict.fromkeys(_words("+ - * / // % || | & ^ ^@ :: ~ ! . = == != <> < > <= >= like ilike rlike regexp is in not xor"), 2),
    "between": 25,
}
_OPENS, _CLOSES = frozenset({"(", "[", "case"}), frozenset({")", "]", "end"})


@dataclass
class _Level:
    """How deep the tree is of what stands in one pair of brackets, so far."""

    before: str = ""  # the word before the bracket
    joins: int = 0  # by AND, OR, WHEN
    part: int = 0  # since the last of these
    deepest: int = 0  # of the parts before
    between: bool = False  # the next AND is that of a BETWEEN

    def add(self, token: str) -> None:
        if token == "and" and self.between:
            self.between = False
        elif token in ("and", "or", "when", "then", "else", ","):
            self.deepest, self.part, self.joins = max(self.deepest, self.part), 0, self.joins + _WEIGHTS.get(token, 0)
        else:
            self.part += _WEIGHTS.get(token, 0)
            self.between |= token == "between"

    @property
    def weight(self) -> int:
        return self.joins + max(self.part, self.deepest)


def expression(text: str) -> pl.Expr:
    """Read an SQL expression of known functions.

    It is judged by its words before Polars sees it, as Polars opens files and calls servers while it parses.

    Parameters
    ----------
    text : str
        Of the config; Polars SQL.

    Returns
    -------
    Expr
        Not computed yet.

    Raises
    ------
    ConfigError
        It is more than an expression of `FUNCTIONS`, or too long; the message begins with the rule, for its key to stand before it.
    PolarsError
        It cannot be read.

    Examples
    --------
    >>> pl.DataFrame({"Quantity": [2], "Price": [1.5]}).select(expression("Quantity * Price")).item()
    3.0
    >>> expression("read_csv('/etc/passwd')")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    segmenter.errors.ConfigError: should be an SQL expression of known functions (got "read_csv('/etc/passwd')"): ...
    """
    if wrong := _wrong(text):
        got = text if len(text) <= 80 else f"{text[:80]} …"
        raise ConfigError(f'should be an SQL expression of known functions (got "{got}"): {wrong}')
    return pl.sql_expr(text)


def _wrong(text: str) -> str | None:
    """Say what makes a text more than an expression."""
    if len(text) > _LONGEST:
        return f"it should have at most {_LONGEST:,} characters (got {len(text):,})"
    before, place, adjacent = "", 0, False  # the word or sign before; whether it touches this one
    levels = [_Level()]
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            return f"{text[place]!r} at character {place + 1} is not allowed there" + (
                "; a quote is not closed" if text[place] in "'\"`" else ""
            )
        token, place = found[0].lower(), found.end()
        match found.lastgroup:
            case "gap":
                adjacent = False
                continue
            case "comment":
                return f"{token} is part of a comment"
            case "quoted" if adjacent and (before == "&" or _is_word(before)):
                return f"a quote right after {before}"
            case "word":
                if _CLOCK.fullmatch(token):
                    return f"{token} is another one every day; write DATE '2026-01-31'"
                if token == "select" or (token in _QUERY and before == "("):
                    return f"{token.upper()} begins a query; a column of that name stands in double quotes"
            case _:
                if token == "(" and (wrong := _called(before, re.compile(r"\s*\)").match(text, place) is not None)):
                    return wrong
        if wrong := _heavy(levels, before, token):
            return wrong
        before, adjacent = token, True
    return None


def _heavy(levels: list[_Level], before: str, token: str) -> str | None:
    """Take note of a word or sign; say what makes the tree too deep."""
    if token in _OPENS:
        levels.append(_Level(before))
    elif token in _CLOSES and len(levels) > 1:
        inner = levels.pop()
        levels[-1].part = max(levels[-1].part, inner.weight + _WEIGHTS["between" if inner.before == "nullif" else "not"])
    else:
        levels[-1].add(token)
    if len(levels) > _DEEPEST + 1:
        return f"it should nest at most {_DEEPEST} deep"
    if levels[-1].weight > _HEAVIEST:
        return (
            f"it should have at most {_HEAVIEST} AND, OR and WHEN in a row, or {_HEAVIEST // 2} other operators; "
            "brackets around halves of it help, or column IN ('a', 'b', …)"
        )
    return None


def _called(before: str, empty: bool) -> str | None:
    """Say what is wrong with a bracket after a word."""
    if before[:1] in ("'", '"', "`"):
        return f"there is no function {before}"
    if not _is_word(before) or before in _OTHERS:
        return None
    if before not in FUNCTIONS:
        return f"there is no function {before}{nearest(before, FUNCTIONS)}"
    return f"{before}() needs something in its brackets" if empty and before not in _NO_ARGUMENTS else None


def _is_word(token: str) -> bool:
    return bool(re.match(r"\w|[^\x00-\x7f]", token))
