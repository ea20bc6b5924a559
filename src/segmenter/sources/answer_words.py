"""What agents write into call sheets and lists: headers and answers, in English and Chinese, as people spell them."""

import re
import unicodedata
from collections.abc import Iterable
from difflib import SequenceMatcher
from typing import NamedTuple


class Meaning(NamedTuple):
    """What an answer says.

    Parameters
    ----------
    answer : str
        One of the ledger's, or ``none`` where nobody has called yet.
    reason : str or None
        What it says besides.
    """

    answer: str
    reason: str | None = None


NOT_YET = Meaning("none")
_JOINED, _REFUSED, _NEVER, _NO_ANSWER = Meaning("joined"), Meaning("refused"), Meaning("refused_for_good"), Meaning("no_answer")
_WRONG_NUMBER, _NOT_JOINED = Meaning("no_answer", "wrong number"), Meaning("no_answer", "not joined")

_ANSWERS: dict[Meaning, str] = {
    _JOINED: """joined|join|joins|yes|y|has joined|already joined|is in|in the group|added|member|√|✓|☑|✔|✅
        已入群|已进群|入群|进群|加群|已加群|已加入|加入|已加|加了|入了|进了|已入|已进|入群了|进群了|已经入群|已经进群|已经加入|成功入群|已成功入群|入群成功|进群成功
        已拉群|已拉入群|拉群|拉进群了|是""",
    Meaning("no_answer", "will join"): """will join|would join|wants to join|willing|agreed|agrees|agree|ok|okay|later|will join later
        愿意加入|愿意|愿意入群|愿意进群|同意|同意加入|同意入群|答应|会加|会加入|稍后加入|稍后入群|待入群|待加入|好的""",
    Meaning(
        "no_answer", "undecided"
    ): """maybe|undecided|considering|considers|thinking|thinking it over|will think about it|perhaps|call back|callback
        考虑|考虑中|再考虑|考虑一下|再考虑一下|考虑考虑|会考虑|再想想|想一想|再说|回头再说|待定|犹豫""",
    _REFUSED: """refused|refuse|refuses|declined|decline|declines|rejected|reject|no|n|no thanks|no thank you|not interested|does not want
        doesnt want|dont want|wont join|will not join|does not join|does not want to|unwilling|×|✗|✘|❌
        拒绝|已拒绝|已经拒绝|婉拒|明确拒绝|拒绝入群|拒绝进群|拒绝加入|拒绝加群|不需要|不加|不加群|不加入|不想加|不想加入|不愿意|不愿意加入|不愿|不同意|不感兴趣|没兴趣|无兴趣|不考虑|不入群|不进群|不入|不进|不用|不用了|不要
        没需要|无需求|没需求|否""",
    Meaning("refused", "left the group"): "left|left the group|has left|退群|已退群|已经退群|退出|已退出|已经退出|退出群聊",
    _NEVER: """refused for good|never|never again|never call again|do not call|do not call again|dont call|dont call again|no more calls
        do not contact|do not contact again|dont contact|dont contact again|do not disturb|stop|unsubscribe|unsubscribed
        永久拒绝|永远拒绝|彻底拒绝|以后都不要联系|以后不要联系|以后不要再联系|以后别联系|以后别再联系|不要再联系|不要再联系了|别再联系|别再联系了|不要再打|不要再打了|别再打|别再打了
        以后不要打|以后别打|永不联系|不再联系|勿再联系|请勿联系|请勿再联系|不要联系|勿扰|拉黑|拉黑了""",
    _NO_ANSWER: """no answer|no reply|no response|not reached|not reachable|unreachable|cannot reach|could not reach|cant reach|busy
        voicemail|voice mail|line busy|did not answer|didnt answer|does not answer|doesnt answer|unanswered|not answered|missed
        nobody answered|hung up|switched off|phone off|no pick up|did not pick up|didnt pick up
        未接通|未接|没接|没接通|没接电话|没人接|没人接听|无人接听|无人接|无人应答|无应答|未接听|未应答|无法接通|暂时无法接通|接不通|打不通|没打通|未打通|占线|忙线|正忙|通话中
        关机|已关机|停机|已停机|不在服务区|联系不上|未联系上|没联系上|不接|不接电话|拒接|挂断|挂了|挂机|未回复|没回复|没回|无回复|不回复|未回""",
    _WRONG_NUMBER: """wrong number|wrong no|invalid number|bad number|number invalid|no such number|number does not exist|wrong person
        号码有误|号码错误|号码不对|号码不存在|错号|空号|打错了|打错|不是本人|非本人|电话错误|电话有误""",
    _NOT_JOINED: """not joined|not yet joined|has not joined|did not join|didnt join|not in
        未入群|未进群|未加入|未加群|没入群|没进群|没加入|没加|未加|未入|尚未入群|还没入群|还没加入|还未入群""",
    NOT_YET: """not called|not called yet|not yet called|to call|to do|todo|pending|open|not yet
        未联系|未拨打|未外呼|未打|未呼叫|还没打|没打|待联系|待外呼|待拨打|待打|待跟进""",
}

# The columns of a list. Of several that fit, the one named first here is taken.
_HEADERS = {
    "customer_id": """customer_id|customer no|customer number|customer|client id|client|member id|member no|member number|user id|buyer id
        id|客户编号|客户id|客户号|客户编码|客户代码|会员编号|会员id|会员号|会员卡号|用户编号|用户id|买家id|编号""",
    "answer": """answer|answers|result|results|call result|outcome|response
        答复|答复结果|结果|外呼结果|电话结果|通话结果|沟通结果|联系结果|邀请结果|反馈结果|回复|反馈""",
    "status": "status|call status|reply|feedback|状态|外呼状态|通话状态|客户状态",  # an answer where nothing says more
    "joined": "joined|join|in group|in the group|member|入群|进群|加群|是否入群|是否进群|是否加群|是否加入|已入群|入群情况|入群状态",
    "joined_on": """joined on|joined at|join date|join time|date joined|date of joining|time joined|joining date
        入群时间|入群日期|进群时间|进群日期|加入时间|加入日期|加群时间|加群日期""",
    "answered_on": """answered on|answer date|date of answer|answered at|answered|called on|call date|call time|called at|contact date
        date|day|time|on|答复日期|答复时间|回复日期|回复时间|反馈日期|反馈时间|外呼日期|外呼时间|联系日期|联系时间|沟通日期|沟通时间|通话日期|通话时间|拨打日期|拨打时间|日期|时间""",
    "reason": """reason for refusing|reason for refusal|refusal reason|why refused|reason refused|why not
        拒绝原因|拒绝理由|拒绝的原因|未入群原因|不入群原因|不加群原因""",
    "note": "note|notes|remark|remarks|comment|comments|备注|备注信息|跟进|跟进情况|跟进记录|沟通记录|沟通情况",
}
_NEGATING = re.compile(r"\b(?:no|not|never|dont|didnt|doesnt|isnt|wont|cant|un)")
_CLOSE = 0.85  # of 1: "refuesd", "no anwser"; but not "not joined" for "joined"


def plain(text: str) -> str:
    """Bring words into one form: lower case, no punctuation, single spaces.

    Parameters
    ----------
    text : str
        As people write.

    Returns
    -------
    str
        Letters, digits, ticks and crosses.

    Examples
    --------
    >>> plain("  Joined!! "), plain("don't_call"), plain("已入群。")
    ('joined', 'dont call', '已入群')
    """
    folded = unicodedata.normalize("NFKC", text).casefold().replace("'", "").replace("’", "")
    return " ".join("".join(each if each.isalnum() or each in "√✓☑✔✅×✗✘❌" else " " for each in folded).split())


def _words(lines: str) -> list[str]:
    return [plain(word) for word in re.split(r"\||\n\s*", lines)]


def _key(word: str) -> str:
    return word.replace(" ", "")


_KNOWN = {word: meaning for meaning, lines in _ANSWERS.items() for word in _words(lines)}
_BY_KEY = {_key(word): meaning for word, meaning in _KNOWN.items()}
_NAMES = {role: [_key(word) for word in _words(lines)] for role, lines in _HEADERS.items()}


def meaning_of(text: str, *, of_joining: bool = False) -> Meaning | None:
    """Understand an answer.

    A misspelt English answer is understood where all words that it is near to mean the same, and none of them turns it round. In
    Chinese one character is a word, so there only endings such as 了 may differ.

    Parameters
    ----------
    text : str
        As an agent wrote it.
    of_joining : bool
        Whether it stands in a column that asks whether somebody joined: there "no" is no refusal.

    Returns
    -------
    Meaning or None
        None where it cannot be told.

    Examples
    --------
    >>> meaning_of("Joind!").answer, meaning_of("无人接听了").answer, meaning_of("空号"), meaning_of("perhpas joined")
    ('joined', 'no_answer', Meaning(answer='no_answer', reason='wrong number'), None)
    """
    word = plain(text)
    key = _key(word)
    if of_joining and key in ("no", "n", "否", "×", "✗", "✘", "❌", "0", "false"):
        return _NOT_JOINED
    if of_joining and key in ("1", "true"):
        return _JOINED
    found = _BY_KEY.get(key) or _BY_KEY.get(re.sub("[了啦哦呢到的]+$", "", key))
    if found is not None or not word.isascii():
        return found
    turns = len(_NEGATING.findall(word))
    near = {meaning for known, meaning in _KNOWN.items() if _near(key, _key(known)) and len(_NEGATING.findall(known)) == turns}
    return near.pop() if len(near) == 1 else None


def states(note: str) -> bool:
    """Tell whether a note is an answer and nothing else, spelled as it should be.

    Parameters
    ----------
    note : str
        As an agent wrote it.

    Returns
    -------
    bool
        False also for what is too short to be sure.

    Examples
    --------
    >>> states("已入群！"), states("Joined"), states("joined, is very keen"), states("y")
    (True, True, False, False)
    """
    key = _key(plain(note))
    return len(key) >= (4 if key.isascii() else 2) and _BY_KEY.get(key, NOT_YET) != NOT_YET


def roles_of(header: Iterable[str]) -> dict[str, str]:
    """Find what the columns of a list are.

    Parameters
    ----------
    header : iterable of str
        The columns' names.

    Returns
    -------
    dict of str to str
        For each of ``customer_id, answer, status, joined, joined_on, answered_on, reason, note`` that is there, the column's name.

    Examples
    --------
    >>> roles_of(["排名", "客户编号", "Answer ", "答复日期", "reason"])
    {'customer_id': '客户编号', 'answer': 'Answer ', 'answered_on': '答复日期'}
    """
    keys = {name: _key(plain(name)) for name in header}
    roles: dict[str, str] = {}
    for role, names in _NAMES.items():
        fitting = [name for name, key in keys.items() if key in names]
        if fitting:
            roles[role] = min(fitting, key=lambda name: names.index(keys[name]))
    left = {name: key for name, key in keys.items() if key.isascii() and name not in roles.values()}
    for role, names in _NAMES.items():
        near = [name for name, key in left.items() if any(_near(key, known) for known in names)]
        if role not in roles and len(near) == 1 and near[0] not in roles.values():
            roles[role] = near[0]
    return roles


def others_of(header: Iterable[str], roles: dict[str, str]) -> list[str]:
    """Find further columns of answers: an agent's own, beside that of the call sheet.

    Parameters
    ----------
    header : iterable of str
        The columns' names.
    roles : dict of str to str
        As `roles_of` gives them.

    Returns
    -------
    list of str
        In their order.

    Examples
    --------
    >>> header = ["客户编号", "答复", "外呼结果", "姓名"]
    >>> others_of(header, roles_of(header))
    ['外呼结果']
    """
    return [name for name in header if _key(plain(name)) in _NAMES["answer"] and name not in roles.values()]


def _near(one: str, other: str) -> bool:
    return len(one) > 3 and other.isascii() and SequenceMatcher(None, one, other, autojunk=False).ratio() >= _CLOSE
