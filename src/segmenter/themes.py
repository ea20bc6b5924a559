"""Why customers refuse, as themes: what agents wrote of a customer stays in their call sheets, and is counted by theme elsewhere."""

import re

import polars as pl

# The first that fits counts. The last four are what an answer itself says, see `sources.answer_words`.
_THEMES = {
    "wrong number": r"wrong number|wrong person|空号|错号|打错|号码|非本人|不是本人",
    "price": r"\bpric|expensive|\bcosts?\b|afford|\bmoney|discount|cheap|贵|价|钱|优惠|便宜|划算|折扣",
    "messages": r"too many|groups?\b.*already|messages|spam|disturb|annoy|noisy|群太多|群多|消息|太吵|广告|打扰|骚扰|刷屏",
    "already member": r"already|is a member|member of|已经|已加|已在|加过|入过|是会员",
    "privacy": r"privacy|trust|scam|fraud|personal data|隐私|不信|信不过|骗|泄露|安全",
    "time": r"\bbusy|no time|\btime\b|later|schedule|meeting|忙|没空|时间|改天|不方便|开会|有事|下次",
    "distance": r"\bfar\b|distance|moved|远|搬|外地",
    "service": r"service|quality|complain|unhappy|dissatisf|delivery|质量|服务|投诉|不满|售后|物流|体验",
    "channel": r"wechat|by phone|e-?mail|\bapp\b|\bonline|微信|电话|不会用|不上网|习惯",
    "not needed": r"\bneed|interest|\buse\b|useful|useless|\bwant|不需|没需|无需|兴趣|用不|没用|不用|不想|不要|没必要",
    "will join": r"(?!)",
    "undecided": r"(?!)",
    "left the group": r"(?!)",
    "not joined": r"(?!)",
}
OTHER = "other"
THEMES = (*_THEMES, OTHER)


def theme_of(reason: str) -> str | None:
    """Tell the theme of what an agent wrote.

    Parameters
    ----------
    reason : str
        In English or Chinese; or a theme.

    Returns
    -------
    str or None
        One of `THEMES`; None where there is nothing.

    Examples
    --------
    >>> [theme_of(each) for each in ("太贵了，以后再说", "no time, she is at 13800138000", "price", "她女儿管", " ")]
    ['price', 'time', 'price', 'other', None]
    """
    words = " ".join(reason.lower().split())
    if not words or words in THEMES:
        return words or None
    return next((theme for theme, pattern in _THEMES.items() if re.search(pattern, words)), OTHER)


def themed(rows: pl.DataFrame) -> pl.DataFrame:
    """Put the theme in the place of each reason.

    Parameters
    ----------
    rows : DataFrame
        With ``reason``, as agents wrote it or as a theme.

    Returns
    -------
    DataFrame
        The same rows.

    Examples
    --------
    >>> themed(pl.DataFrame({"reason": ["太忙", None, "other"]}))["reason"].to_list()
    ['time', None, 'other']
    """
    known = {reason: theme_of(reason) for reason in rows["reason"].drop_nulls().unique()}
    return rows.with_columns(pl.col("reason").replace_strict(known, default=None, return_dtype=pl.String))
