"""What a launch brought, in words that page and terminal share."""

from segmenter.evaluation.review import Review
from segmenter.evaluation.target_progress import FEW
from segmenter.report.labels import Labels

_OVER = {
    "wave": ("By wave", "按批次"),
    "agent": ("By agent", "按客服"),
    "group": ("By group", "按社群"),
    "region": ("By region", "按地区"),
    "segment": ("By segment", "按客群"),
}
_COHORTS = {"joined": ("joined", "已加入"), "invited": ("invited", "受邀"), "held_out": ("held out", "留出")}
_METHODS = {
    "plain": ("difference of the means", "均值之差"),
    "stratified": ("within strata", "分层"),
    "cuped": ("less what past spend foretells", "扣除历史消费的影响"),
    "stratified_cuped": ("both", "两者兼用"),
}
_THEMES = {
    "wrong number": ("wrong number", "号码有误"),
    "price": ("price", "价格"),
    "messages": ("too many groups or messages", "群或消息太多"),
    "already member": ("a member already", "已是成员"),
    "privacy": ("privacy, trust", "隐私与信任"),
    "time": ("no time", "没时间"),
    "distance": ("too far", "距离太远"),
    "service": ("product or service", "商品或服务"),
    "channel": ("another way to order", "习惯其他渠道"),
    "not needed": ("not needed", "不需要"),
    "will join": ("will join", "愿意加入"),
    "undecided": ("undecided", "考虑中"),
    "left the group": ("left the group", "已退群"),
    "not joined": ("not joined", "未入群"),
    "other": ("other reasons", "其他原因"),
}


def theme(name: str | None, labels: Labels) -> str:
    """Name the theme of a refusal's reason, as in `segmenter.themes`."""
    return labels.say("none noted", "未注明") if name is None else labels.say(*_THEMES[name])


def over(name: str, labels: Labels) -> str:
    """Head the answers by wave, agent, ...

    Parameters
    ----------
    name : str
        As in `acceptance.OVER`.
    labels : Labels
        The language.

    Returns
    -------
    str
        To be shown.

    Examples
    --------
    >>> over("agent", Labels("zh", "CNY"))
    '按客服'
    """
    return labels.say(*_OVER[name])


def value(name: str, text: str | None, labels: Labels) -> str:
    """Name a wave, an agent, ...

    Parameters
    ----------
    name : str
        As in `acceptance.OVER`.
    text : str or None
        As in its ``value``.
    labels : Labels
        The language.

    Returns
    -------
    str
        To be shown.

    Examples
    --------
    >>> labels = Labels("en", "CNY")
    >>> value("wave", "1", labels), value("agent", None, labels), value("segment", "big, loyal", labels)
    ('1 key user', 'nobody', 'big, loyal')
    """
    if text is None:
        missing = {"region": labels.region(None), "agent": labels.say("nobody", "未分配")}
        return missing.get(name, labels.say("none", "无"))
    return labels.wave(int(text)) if name == "wave" else text


def cohort(name: str, labels: Labels) -> str:
    """Name those who joined, were invited, or held out.

    Parameters
    ----------
    name : str
        As in `Review.cohorts`.
    labels : Labels
        The language.

    Returns
    -------
    str
        To be shown.

    Examples
    --------
    >>> cohort("held_out", Labels("en", "CNY"))
    'held out'
    """
    return labels.say(*_COHORTS[name])


def method(name: str, labels: Labels) -> str:
    """Say how a lift was estimated.

    Parameters
    ----------
    name : str
        Of an `Estimate`.
    labels : Labels
        The language.

    Returns
    -------
    str
        To be shown.

    Examples
    --------
    >>> method("cuped", Labels("en", "CNY"))
    'less what past spend foretells'
    """
    return labels.say(*_METHODS[name])


def accepted(found: Review, labels: Labels) -> str:
    """Say how many of those asked have joined.

    Parameters
    ----------
    found : Review
        What the launch brought.
    labels : Labels
        The language.

    Returns
    -------
    str
        One sentence; empty where nobody was asked or no answers are known.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> import polars as pl
    >>> row = {"over": ["all"], "asked": [10], "joined": [4], "share": [0.4], "low": [0.168], "high": [0.687]}
    >>> found = SimpleNamespace(acceptance=pl.DataFrame(row), standing=SimpleNamespace(state="no_target"), counts={"invited": 12})
    >>> accepted(found, Labels("en", "CNY"))
    '4 of the 10 customers asked have joined, 40.0% (16.8%–68.7%); 2 are still to be asked.'
    """
    row = found.acceptance.filter(over="all").row(0, named=True)
    if found.standing.state == "unknown" or not row["asked"]:
        return ""
    asked, joined = labels.number(row["asked"]), labels.number(row["joined"])
    share, low, high = (labels.share(row[name]) for name in ("share", "low", "high"))
    left = found.counts["invited"] - row["asked"]
    rest = labels.say("; {} are still to be asked", "；还有 {} 位尚未联系").format(labels.number(left)) if left else ""
    told = labels.say(
        "{1} of the {0} customers asked have joined, {2} ({3}–{4}){5}.", "已联系 {0} 位客户，{1} 位加入，占 {2}（{3}–{4}）{5}。"
    )
    return told.format(asked, joined, share, low, high, rest)


def hidden(customers: int, minor: float | None) -> float | None:
    """Hide the money of so few customers that it would tell what single ones spend.

    Parameters
    ----------
    customers : int
        How many.
    minor : float or None
        What they spent.

    Returns
    -------
    float or None
        The same, None for few.

    Examples
    --------
    >>> hidden(4, 100), hidden(5, 100)
    (None, 100)
    """
    return minor if customers >= FEW else None
