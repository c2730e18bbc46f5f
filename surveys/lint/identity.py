"""Questions by which somebody could be told apart, found by how they are worded.

A list of words finds most, not all, and sometimes too much: what it finds is for an author to
judge.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from surveys.forms.form import HANDED, Form, Kind, Question

ENOUGH = 3  # traits that together may single somebody out

_SURE: Mapping[str, str] = {
    # what is asked for -> how it is worded, in the label or the question's name
    "name": r"姓名|尊姓|贵姓|您的名字|你的名字|您叫什么|真名|怎么称呼|如何称呼|签名|签字"
    r"|\bsign(?:ed|ature)?\b.{0,12}\b(?:here|name)\b|\byour signature\b"
    r"|\bwhat (?:should|shall|may) we call you\b"
    r"|\b(?:your|full|first|last|family|given) name\b"
    r"|\bsurname\b|^\W*names?\W*$|^\W*名字\W*$",
    "phone": r"手机|电话|座机|联系方式|\b(?:tele)?phone\b|\bmobile\b|\bcell\b|\bcontact details\b",
    "id": r"身份证|证件号|护照号|社保号|工号|警号|学号|员工编号|车牌|驾照号|病历号"
    r"|取号[单票纸条]?.{0,3}号|排队号|受理号|办件编号|\b(?:licen[cs]e|number) plate|\bplate number"
    r"|\b(?:ticket|queue|case) number\b|\b(?:id|identity) (?:card|number)\b"
    r"|\bpassport n|\bsocial security\b|\b(?:employee|staff|badge) (?:id|number)\b",
    "address": r"住址|家庭地址|通讯地址|您的地址|门牌|房号|几栋|几幢|几单元|几号楼|您住在哪"
    r"|\b(?:home|postal|street|your) address\b|\bwhere do you live\b",
    "account": r"邮箱|电子邮件|微信|QQ号|\be-?mail\b|\bwechat\b"
    r"|\bwhatsapp\b|\btelegram (?:name|id)\b",
}
ASKED = (*_SURE, "location", "recording")
"""What :func:`asked_for` may say."""
_TRAITS: Mapping[str, str] = {
    "age": r"年龄|多大|出生|生日|(?:哪一?|何|几几)年生|\bage\b|\bhow old\b|\bbirth\b|\bborn\b",
    "gender": r"性别|\bgender\b|\bsex\b",
    "unit": r"所在(?:的)?(?:单位|部门|科室|处室)|您的(?:单位|部门|科室)|哪个(?:单位|部门|科室)"
    r"|\byour (?:department|unit|office|team|section)\b|\bwhich (?:department|office) do you\b",
    "rank": r"职务|职级|职称|岗位|\bposition\b|\bjob title\b|\byour (?:rank|grade|post|role)\b",
    "service": r"工龄|工作年限|任职年限|入职|\byears of service\b|\bhow long have you worked\b",
    "ethnicity": r"民族|籍贯|\bethnic|\bnationality\b|\bnative place\b",
    "education": r"学历|文化程度|\beducation\b|\bdegree do you\b",
    "household": r"婚姻|婚否|子女|家庭人口|\bmarital\b|\bmarried\b|\bchildren\b|\bhousehold size\b",
    "place": r"(?:您|你).{0,4}(?:小区|街道|乡镇|村|社区)"
    r"|\bpostcode\b|\bzip code\b|\byour (?:village|street)\b",
    "party": r"政治面貌|党员|\bparty member",
}
_BIRTH = r"出生|生日|哪天生|\bdate of birth\b|\bbirth ?(?:date|day)\b|\bborn\b|\bdob\b"
_WARNED = r"姓名|名字|电话|认出|身份|匿名|隐私|个人信息|\bnames?\b|\bidentif|\banonym|\bpersonal\b"
_FREE = frozenset({Kind.TEXT, Kind.INTEGER, Kind.DECIMAL})


def asked_for(question: Question) -> str:
    """What of a person ``question`` asks for: one of ASKED, '' for nothing.

    Only questions that are answered freely: a choice of a list names nobody.
    """
    if question.kind is Kind.GEOPOINT:
        return "location"
    if question.kind in HANDED:
        return "recording"
    if question.kind not in _FREE:
        return ""
    return next((what for what, words in _SURE.items() if _worded(question, words)), "")


def trait(question: Question) -> str:
    """Which trait of a person ``question`` asks for, '' for none."""
    if not question.asks or question.kind in HANDED:
        return ""
    return next((what for what, words in _TRAITS.items() if _worded(question, words)), "")


def exact_birth(question: Question) -> bool:
    """Whether ``question`` asks for a day of birth: with little else that is one person.

    Sex, postcode and date of birth together are unique for 87% of the population of the USA
    (Sweeney, Simple Demographics Often Identify People Uniquely, 2000).
    """
    return question.kind in (Kind.DATE, Kind.DATETIME) and _worded(question, _BIRTH)


def traits(form: Form) -> tuple[Question, ...]:
    """The questions that ask for a trait, one for each trait, in order."""
    found: dict[str, Question] = {}
    for question in form.questions:
        if (what := trait(question)) and what not in found:
            found[what] = question
    return tuple(found.values())


def warns(question: Question) -> bool:
    """Whether the label, hint or guidance says something about names or being told apart."""
    texts = (question.label, question.hint, question.guidance)
    return any(_says(text, _WARNED) for label in texts for text in _texts(label))


def _worded(question: Question, words: str) -> bool:
    # a question may be called "name" whatever it asks: only more than that word tells
    name = "question " + re.sub(r"[_.-]+", " ", question.name)
    return any(_says(text, words) for text in (*_texts(question.label), name))


def _says(text: str, words: str) -> bool:
    return re.search(words, text, re.IGNORECASE) is not None


def _texts(label: Mapping[str, tuple[object, ...]]) -> list[str]:
    return ["".join(p for p in pieces if isinstance(p, str)) for pieces in label.values()]
