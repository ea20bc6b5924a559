"""What a contact is, and what is shown in its place: names, phones, e-mails and addresses go to the call sheets and nowhere else.

A column is one by its name or by the mapping; a text by its look, or because a contact column at hand has it. What is shown is its
shape: digits become 9, letters a or A, letters without case 文, and all else stays, so ``138-0013-8000`` is ``999-9999-9999``.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

_S = r"[\s()\-–—‐‑·/_\u200b-\u200f\ufeff]{0,2}"  # between digits
_LOOKS = (
    rf"(?<!\d)(?:\+?(?:00)?86{_S})?1{_S}[3-9](?:{_S}\d){{9}}(?!\d)",
    r"(?<!\d)1[3-9]\d\.\d{4}\.\d{4}(?!\d)",
    r"(?<![\d.])1\.[3-9]\d{0,9}[eE]\+?10(?!\d)",  # a phone number that was read as a float
    rf"(?<!\d)\(?0(?:10|2\d|[3-9]\d\d)\)?{_S}[2-9]\d{{2,3}}{_S}\d{{4}}(?!\d)",
    rf"\+\d{{1,3}}(?:{_S}\d){{7,12}}(?!\d)",
    r"(?<!\d)(?:\(\d{3}\)\s?|\d{3}[\s\-.])\d{3}[\s\-.]\d{4}(?!\d)",
    r"(?<!\d)09\d\d[\s\-]\d{3}[\s\-]\d{3}(?!\d)",
    r"[一二三四五六七八九零〇幺]{11}",
    rf"(?<!\d)[1-9]\d{{5}}{_S}(?:18|19|20)\d\d{_S}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]){_S}\d{{3}}[\dXx](?!\d)",  # 身份证
    r"(?<!://)(?<![\w.+\-])[\w.+\-]+\s?@\s?[\w\-]+(?:\s?\.\s?[\w\-]+)+",  # but not whom an address of a server names
    r"(?i:wxid)_?[\w\-]{4,}",
    r"(?:(?i:\b(?:wechat|weixin|wx|vx)\s?(?:id)?\s?[:=_]|\b(?:wx|vx)\s)|(?:微信|薇信|[vV]信|加[vV微])(?:号|ID|id)?\s?:?)\s?[A-Za-z][\w\-]{4,}",
    r"(?i:qq)(?:号|\s|:)*[1-9]\d{4,11}(?!\d)",
    r"\w*[\u4e00-\u9fff](?:路|街|道|巷|弄|胡同|村|镇|区|花园|苑|大厦|广场|公寓)\w{0,4}?\s?[\d一二三四五六七八九十]{1,6}\s?(?:号|弄|栋|幢|座|单元|室|楼|层)\w*",
    r"(?<!\d)\d{1,6}\s(?:[A-Z][\w.]*\s){1,3}(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Boulevard|Blvd)\b",
)
_LOOK = re.compile("|".join(_LOOKS))
# What each of them has at least: Polars asks for it first, as it is a hundred times as fast.
_HINT = (
    r"(?:\d[^\d]{0,2}){6}\d|\d[eE]\+?10|[@＠]|[一二三四五六七八九零〇幺]{11}|(?i:wx|vx|wechat|weixin|qq)|微信|薇信|[vV]信|加[vV]"
    r"|\p{Han}\s?[\d一二三四五六七八九十]|\d\s\p{Lu}"
)
_WIDE = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}  # to their narrow forms, one for one

_PERSONAL = re.compile(
    r"手机|电话|座机|固话|联系方式|联系人|微信|邮箱|邮件|电邮|姓名|名字|昵称|网名|称呼|客户名|会员名|用户名|买家名|收[货件]人|地址|住址|门牌|身份证|证件号|护照|传真|旺旺|qq"
    r"|phone|mobile|wechat|weixin|wxid|e?mail|whatsapp|telegram|address|consignee|recipient|surname"
    r"|(?:first|last|full|real|user|nick|fore|customer|client|member|buyer|receiver|contact)_?name|id_?card|openid|unionid"
    r"|(?<![a-z])(?:tel|telno|cell|mail|names?|nick|contacts?|receiver|addressee|addr|street|fax|passport|ssn|wx|vx)(?![a-z])"
)
_THINGS = re.compile(
    r"是否|时间|日期|年月|次数|数量|金额|来源|渠道|品牌|型号|类型|归属|状态|支付|群|好友"
    r"|(?<![a-z])(?:count|counts|date|time|at|type|kind|brand|model|flag|is|has|opt|optin|verified|status|source|channel|opens|opened|clicks|sent|not"
    r"|product|item|goods|sku|shop|store|category|city|province|region|country|file|sheet|event|level|group|campaign|segment|table|currency)(?![a-z])"
)
_HEADINGS = re.compile(
    r"编[号码]|代码|姓名|名称|客户|会员|用户|买家|手机|电话|微信|邮箱|地址|日期|时间|金额|价|数量|订单|省份|城市|地区|国家|类[型别]|品类|状态|等级|备注|答复|结果|原因|币种|商品|门店|渠道|序号|排名"
    r"|(?<![a-z])(?:ids?|nos?|code|name|date|time|day|month|year|amount|price|total|sum|qty|quantity|count|orders?|customers?|clients?|members?|users?|buyers?"
    r"|phone|mobile|tel|e?mail|wechat|city|province|region|state|country|currency|kind|type|category|status|level|joined|notes?|remarks?|answers?|results?"
    r"|reason|group|agent|invoice|products?|items?|sku|unit|friend|column|value|spend|paid|sales|staff|blocked|title|key)(?![a-z])"
)
_DATA = re.compile(r"[\d\s.,:/年月日¥$€%+\-]*\d[\d\s.,:/年月日¥$€%+\-]*")


def shape(text: str) -> str:
    """Show a text by its shape alone.

    Parameters
    ----------
    text : str
        Whatever it holds.

    Returns
    -------
    str
        As long as it was; the same for a shape.

    Examples
    --------
    >>> shape("张伟 138-0013-8000"), shape("Li.Mei@b.com")
    ('文文 999-9999-9999', 'Aa.Aaa@a.aaa')
    """
    return "".join(
        "9" if each.isdigit() else "A" if each.isupper() else "a" if each.islower() else "文" if each.isalpha() else each for each in text
    )


def hide(text: str) -> str:
    """Show what looks like a contact in a text by its shape.

    Parameters
    ----------
    text : str
        A message, or a name of anything.

    Returns
    -------
    str
        All else as it stands.

    Examples
    --------
    >>> hide('launch.name: should be shorter (got "call Li: +86 138 0013 8000")')
    'launch.name: should be shorter (got "call Li: +99 999 9999 9999")'
    """
    found = [each.span() for each in _LOOK.finditer(text.translate(_WIDE))]
    for start, end in reversed(found):
        text = text[:start] + shape(text[start:end]) + text[end:]
    return text


def looks_like_contact(text: str) -> bool:
    """Tell whether a text holds a phone number, e-mail, WeChat or QQ id, ID-card number or street address.

    Parameters
    ----------
    text : str
        A cell.

    Returns
    -------
    bool
        False for personal names: they look like any word.

    Examples
    --------
    >>> [looks_like_contact(each) for each in ("１３８ ００１３ ８０００", "028-86123456", "12,50 x", "2026-13-01")]
    [True, True, False, False]
    """
    return _LOOK.search(text.translate(_WIDE)) is not None


def is_contact_name(name: str) -> bool:
    """Tell whether a column holds contacts, by its name.

    Parameters
    ----------
    name : str
        In English or Chinese, in whatever spelling.

    Returns
    -------
    bool
        Also for names of persons; not for what is about a contact, such as ``phone_model`` or 是否加微信.

    Examples
    --------
    >>> [is_contact_name(name) for name in ("收货人", "buyerPhone", "name", "product_name", "do_not_contact", "wechat_id")]
    [True, True, True, False, False, True]
    """
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.translate(_WIDE)).lower()
    words = re.sub(r"[^\w]+", "_", words)
    return _THINGS.search(words) is None and _PERSONAL.search(words) is not None


def shown_columns(columns: Iterable[str]) -> dict[str, str]:
    """Say how the names of columns may be shown: where a file has no header, they are its first customer.

    Parameters
    ----------
    columns : iterable of str
        All of a table's.

    Returns
    -------
    dict of str to str
        For each its name; or its shape where it looks like a contact, or the names together look like a row.

    Examples
    --------
    >>> shown_columns(["编号", "手机"]), shown_columns(["C01", "张伟", "13800138000"])
    ({'编号': '编号', '手机': '手机'}, {'C01': 'A99', '张伟': '文文', '13800138000': '99999999999'})
    """
    names = list(columns)
    plain = [name.translate(_WIDE).lower() for name in names]
    data = sum(_DATA.fullmatch(name) is not None or _LOOK.search(name) is not None for name in plain)
    headings = sum(_HEADINGS.search(name) is not None for name in plain)
    numbered = any(each.isdigit() for name in plain for each in name)  # as ids are; a header in another language has no digits
    row = numbered if not headings else data > headings or any(_LOOK.search(name) for name in plain)
    return {name: shape(name) if row else name for name in names}


def shown_sql(sql: str, contacts: Iterable[str] = ()) -> str:
    """Say how an SQL expression or query may be shown: what it compares a contact column with is one too.

    Parameters
    ----------
    sql : str
        As the config has it.
    contacts : iterable of str, optional
        Columns that are contacts by the mapping.

    Returns
    -------
    str
        With the shapes of such texts and numbers.

    Examples
    --------
    >>> shown_sql("姓名 = '张伟' OR city = 'x'"), shown_sql("city = '成都'")
    ("姓名 = '文文' OR city = 'a'", "city = '成都'")
    """
    known = set(contacts)
    names = re.findall(r'"[^"]+"|[^\W\d]\w*', re.sub(r"'(?:[^']|'')*'", "", sql))
    if any(name.strip('"') in known or is_contact_name(name.strip('"')) for name in names):
        sql = re.sub(r"'(?:[^']|'')*'", lambda text: shape(text[0]), sql)
    return hide(sql)


@dataclass(frozen=True)
class Contacts:
    """The contacts at hand while tables are read.

    Parameters
    ----------
    columns : frozenset of str
        Those that are contacts by the mapping.
    known : sequence of Series
        What stands in columns of contacts.

    Examples
    --------
    >>> import polars as pl
    >>> contacts = Contacts(frozenset({"tag"}), [pl.Series(["张伟"])])
    >>> contacts.shown(pl.Series(["张伟的订单", "12,50 x"]), ["amount"]).to_list()
    ['文文文文文', '12,50 x']
    """

    columns: frozenset[str] = frozenset()
    known: Sequence["pl.Series"] = ()

    @cached_property
    def _folded(self) -> list["pl.Series"]:
        import polars as pl

        known = [each for each in self.known if each.dtype.is_numeric() or each.dtype in (pl.String, pl.Categorical, pl.Enum)]
        return [each.cast(pl.String).alias("known").str.strip_chars().str.to_lowercase() for each in known]

    def is_contact(self, column: str) -> bool:
        """Tell whether a column holds contacts, by the mapping or by its name."""
        return column in self.columns or is_contact_name(column)

    def among(self, values: "pl.Series") -> "pl.Series":
        """Tell which texts look like a contact, or hold what a column of contacts has."""
        import polars as pl

        texts = values.cast(pl.String, strict=False)
        different = texts.drop_nulls().unique()
        found = {text for text in different.filter(different.str.contains(_HINT)) if looks_like_contact(text)}
        if self._folded and len(different):
            parts = pl.DataFrame(
                [(text, part) for text in different for part in _parts(text)], schema={"text": pl.String, "part": pl.String}, orient="row"
            )
            wanted = parts["part"].unique().implode()
            here = [each.filter(each.is_in(wanted)).unique() for each in self._folded]
            found.update(parts.filter(pl.col("part").is_in(pl.concat(here).implode()))["text"])
        return texts.is_in(list(found)).fill_null(value=False) if found else pl.repeat(False, len(values), eager=True)

    def shown(self, values: "pl.Series", columns: Iterable[str]) -> "pl.Series":
        """Show values of some columns, contacts among them by their shape."""
        import polars as pl

        texts = values.cast(pl.String, strict=False)
        hidden = texts.is_not_null() if any(map(self.is_contact, columns)) else self.among(texts)
        shapes = {text: shape(text) for text in texts.filter(hidden).unique()}
        return texts.replace(shapes) if shapes else texts

    def without(self, rejects: "pl.DataFrame") -> "pl.DataFrame":
        """Show rejects without contacts, see `tables.REJECTS`."""
        import polars as pl

        if rejects.is_empty():
            return rejects
        parts = []
        for (label,), rows in rejects.with_row_index("__at").partition_by("column", as_dict=True, maintain_order=True).items():
            columns = [] if label is None else [str(label), *str(label).split(", ")]
            parts.append(rows.with_columns(self.shown(rows["value"], columns).alias("value")))
        whole = pl.concat(parts).sort("__at").drop("__at")
        return whole.with_columns(self.shown(whole["column"], ()).alias("column"), self.shown(whole["file"], ()).alias("file"))


def _parts(text: str) -> list[str]:
    """List what of a text may be a contact by itself: whole, its words, two or three of them, and two to four characters of Chinese."""
    folded = text.strip().lower()
    letters = sum(each.isalpha() for each in folded)
    parts = {folded} if letters > 1 or sum(each.isdigit() for each in folded) >= 7 else set()
    words = re.findall(r"[^\W\d_]+", folded)
    parts |= {" ".join(words[at : at + size]) for size in (1, 2, 3) for at in range(len(words) - size + 1) if len(words[at]) > 2}
    for run in re.findall(r"[\u3400-\u9fff]{2,}", folded[:500]):
        parts |= {run[at : at + size] for size in (2, 3, 4) for at in range(len(run) - size + 1)}
    return sorted(parts)
