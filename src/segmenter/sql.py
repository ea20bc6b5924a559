"""SQL of the config: an expression of known functions, and nothing else. Its words are judged before Polars parses it."""

import re
from dataclasses import dataclass

import polars as pl

from segmenter.errors import ConfigError, nearest
from segmenter.messages import Message


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
OTHERS = _words(  # words before a bracket that are no functions: of SQL, and types
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
_MAX_LENGTH, _MAX_DEPTH = 100_000, 40  # Polars reads 50 levels
# A chain of operators is a tree as deep as it is long: Polars' stack ends at some hundreds. BETWEEN doubles what stands before it.
_MAX_WEIGHT = 400
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
    """Read an SQL expression of known functions, not computed yet.

    It is judged by its words before Polars sees it, as Polars opens files and calls servers while it parses. A ConfigError says what
    makes it more than that, its message without the key; Polars' own errors say that it cannot be read.
    """
    if wrong := _wrong(text):
        got = text if len(text) <= 80 else f"{text[:80]} …"
        sentence = 'should be an SQL expression of known functions (got "{got}"): {why}'
        raise ConfigError(Message("sql.no_expression", sentence, got=got, why=wrong))
    return pl.sql_expr(text)


def _wrong(text: str) -> Message | None:
    """Say what makes a text more than an expression."""
    if len(text) > _MAX_LENGTH:
        return Message("sql.too_long", "it should have at most {most:,} characters (got {length:,})", most=_MAX_LENGTH, length=len(text))
    before, position, adjacent = "", 0, False  # the word or sign before; whether it touches this one
    levels = [_Level()]
    while position < len(text):
        piece = _TOKEN.match(text, position)
        if piece is None:
            return _stray(text[position], position + 1)
        token, position = piece[0].lower(), piece.end()
        match piece.lastgroup:
            case "gap":
                adjacent = False
                continue
            case "comment":
                return Message("sql.comment", "{token} is part of a comment", token=token)
            case "quoted" if adjacent and (before == "&" or _is_word(before)):
                return Message("sql.quote_after_word", "a quote right after {word}", word=before)
            case "word":
                if _CLOCK.fullmatch(token):
                    return Message("sql.clock", "{token} is another one every day; write DATE '2026-01-31'", token=token)
                if token == "select" or (token in _QUERY and before == "("):
                    sentence = "{token} begins a query; a column of that name stands in double quotes"
                    return Message("sql.query", sentence, token=token.upper())
            case _:
                if token == "(" and (wrong := _called(before, re.compile(r"\s*\)").match(text, position) is not None)):
                    return wrong
        if wrong := _heavy(levels, before, token):
            return wrong
        before, adjacent = token, True
    return None


def _stray(sign: str, position: int) -> Message:
    shown = repr(sign)
    if sign in "'\"`":
        sentence = "{sign} at character {position} is not allowed there; a quote is not closed"
        return Message("sql.open_quote", sentence, sign=shown, position=position)
    return Message("sql.stray", "{sign} at character {position} is not allowed there", sign=shown, position=position)


def _heavy(levels: list[_Level], before: str, token: str) -> Message | None:
    """Take note of a word or sign; say what makes the tree too deep."""
    if token in _OPENS:
        levels.append(_Level(before))
    elif token in _CLOSES and len(levels) > 1:
        inner = levels.pop()
        levels[-1].part = max(levels[-1].part, inner.weight + _WEIGHTS["between" if inner.before == "nullif" else "not"])
    else:
        levels[-1].add(token)
    if len(levels) > _MAX_DEPTH + 1:
        return Message("sql.too_deep", "it should nest at most {most} deep", most=_MAX_DEPTH)
    if levels[-1].weight > _MAX_WEIGHT:
        sentence = (
            "it should have at most {joins} AND, OR and WHEN in a row, or {others} other operators; "
            "brackets around halves of it help, or column IN ('a', 'b', …)"
        )
        return Message("sql.too_heavy", sentence, joins=_MAX_WEIGHT, others=_MAX_WEIGHT // 2)
    return None


def _called(before: str, empty: bool) -> Message | None:
    """Say what is wrong with a bracket after a word."""
    if before[:1] in ("'", '"', "`"):
        return Message("sql.quoted_function", "there is no function {name}", name=before)
    if not _is_word(before) or before in OTHERS:
        return None
    if before not in FUNCTIONS:
        return Message("sql.no_function", "there is no function {name}{near}", name=before, near=nearest(before, FUNCTIONS))
    if empty and before not in _NO_ARGUMENTS:
        return Message("sql.no_arguments", "{name}() needs something in its brackets", name=before)
    return None


def _is_word(token: str) -> bool:
    return bool(re.match(r"\w|[^\x00-\x7f]", token))
