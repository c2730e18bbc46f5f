"""Typed words to the choices that are offered: by label, number, name, or a yes and a no."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TypeVar

from surveys.forms.form import Choice
from surveys.typed.assent import NO, YES
from surveys.typed.numbers import readings, tidy

_SIMPLE = str.maketrans(  # the traditional characters that labels of surveys are made of
    "滿對沒會認為說個歲來這還學員國與廣東車門開關無點時間電話環務態質級優較極總經難選項覺應該樂請業醫辦處們"
    "見議題強價費錢長變從動過後裡裏頭機構區縣鄉鎮市場證書號問題網線實際險養護農產資訊聯繫絡擔憂贊讚貴親"
    "給讓願樣種類別數據錯誤確準備離婚單結許幾麼甚兒媽爺奶師",
    "满对没会认为说个岁来这还学员国与广东车门开关无点时间电话环务态质级优较极总经难选项觉应该乐请业医办处们"
    "见议题强价费钱长变从动过后里里头机构区县乡镇市场证书号问题网线实际险养护农产资讯联系络担忧赞赞贵亲"
    "给让愿样种类别数据错误确准备离婚单结许几么什儿妈爷奶师",
)
_CARRIED = re.compile(  # words around a choice that leave it as it is
    r"^(?:我(?:觉得|想|认为|要|会)?选?择?|选择?|就是?|应该是|option |choice |number |an? |the "
    r"|i(?:'d| would)? (?:say|choose|think|pick) |i am |i'm |it's |it is )"
    r"|(?:吧|了|的|啊|呀|哦| please)$"
)
_NEGATION = re.compile(
    r"[不没无未别勿]|(?<!非常)(?<!除)非(?!常)|\b(?:not|no|never|hardly|without)\b|n't"
)
_MEASURE = "[个号项次人岁天年月周日小时元块家位名线楼层级星条件份种类至到以~—–-]|分钟|分$"
_NUMERAL = re.compile(r"\d+|[零一二两三四五六七八九十百千万]+")
_IDIOMS = re.compile(
    r"一[般些定点直起样向旦致律切]|十[分足全]|千万|万一|百分|唯一|统一|[第之]一时间"
)


def fold(words: str) -> str:
    """Words as compared: full-width to half, ① to 1, lower case, no punctuation around."""
    folded = unicodedata.normalize("NFKC", words).casefold()
    folded = unicodedata.normalize("NFKC", folded).strip()  # lower case may come apart
    return re.sub(r"^[\s\W_]+|[\s\W_]+$", "", folded) or folded  # a button may be all emoji


def exact(words: str) -> str:
    """Words with every sign kept: ``A+`` is not ``A``, ``<5`` is not ``5``."""
    return _joined(unicodedata.normalize("NFKC", words).casefold())


def bare(words: str) -> str:
    """:func:`fold` for labels: signs before and behind a digit stay, for they change it."""
    folded = _joined(fold(words))
    if not re.search(r"\d", folded):
        return folded
    return _joined(tidy(words)).strip(" \t.,!?()[]'\"“”‘’「」『』。、:;")


def _joined(text: str) -> str:
    """One script, and blanks only where Latin words need them: ``3-5 次`` is ``3-5次``."""
    spaced = " ".join(text.split()).translate(_SIMPLE)
    return re.sub(r" (?=[^\x00-\x7f])|(?<=[^\x00-\x7f]) ", "", spaced)


_Key = TypeVar("_Key")


def _places(keys: Iterable[Iterable[_Key]]) -> Mapping[_Key, tuple[int, ...]]:
    """Key -> where it occurs, for the keys at each place."""
    found: dict[_Key, tuple[int, ...]] = {}
    for at, here in enumerate(keys):
        for key in here:
            found[key] = (*found.get(key, ()), at)
    return found


@dataclass(frozen=True)
class Offer:
    """The choices offered now. ``graded`` means that each button shows its name, a number."""

    choices: Sequence[Choice]
    graded: bool = False
    numbered: bool = True  # whether a number may mean a position

    @cached_property
    def labels(self) -> list[set[str]]:
        """For each choice its labels in all languages, as compared."""
        return [{bare(label) for label in choice.label.values()} for choice in self.choices]

    @cached_property
    def _exact(self) -> Mapping[str, tuple[int, ...]]:
        return _places({exact(label) for label in c.label.values()} for c in self.choices)

    @cached_property
    def _labelled(self) -> Mapping[str, tuple[int, ...]]:
        return _places(self.labels)

    @cached_property
    def _names(self) -> Mapping[str, tuple[int, ...]]:
        return _places({fold(choice.name)} for choice in self.choices)

    @cached_property
    def _numbers(self) -> Mapping[Decimal, tuple[int, ...]]:
        """The choices whose name is a number, by it."""
        found = [readings(choice.name) for choice in self.choices]
        return _places(numbers if len(numbers) == 1 else () for numbers in found)

    @cached_property
    def _has_numbers(self) -> bool:
        return any(map(has_number, self.labels))

    def find(self, words: str) -> tuple[int, ...]:
        """The index of the choice that ``words`` are; several where they may be either; or none."""
        return self.certain(words) or self._polar(words) or self._carried(words)

    def certain(self, words: str) -> tuple[int, ...]:
        """By whole label, by number, by name; in this order."""
        if len(words) > 300 or not words.strip():
            return ()
        same = self._exact.get(exact(words), ())
        if len(same) == 1:
            return same
        said = bare(words)
        if said in self._labelled:
            return self._labelled[said]
        number = number_of(words, self.graded)
        if number is not None:
            return self._numbered(number)
        if match := re.fullmatch(r"([^\W_]{1,3})[\s.、:)]+(.+)|(\d{1,2})(\D.*)", tidy(words)):
            return self._prefixed(match[1] or match[3], match[2] or match[4])
        return self._names.get(said, ())

    def _prefixed(self, number: str, rest: str) -> tuple[int, ...]:
        """``5 非常满意``, ``3. Apple``: the number has to agree with the label."""
        labelled = self._labelled.get(bare(rest), ())
        found = number_of(number, self.graded)
        if len(labelled) != 1 or found is None:
            return ()
        return labelled if labelled[0] in self._readings(found) else ()

    def _numbered(self, number: int) -> tuple[int, ...]:
        if self.graded:
            return self._numbers.get(Decimal(number), ())
        if self._has_numbers:
            return self._beside_numbers(Decimal(number))
        spoken = {at for at, labels in enumerate(self.labels) if speaks_of(labels, number)}
        return tuple(sorted(spoken.union(self._readings(number))))  # 窗口二 in the first place

    def _beside_numbers(self, number: Decimal) -> tuple[int, ...]:
        """Where labels hold numbers, a typed one is the label's and never just a position.

        Where it lies in a span (4 in 3-5) and is some other choice's position, it may be either.
        """
        leading = [at for at, labels in enumerate(self.labels) if number in leads(labels)]
        within = {
            at
            for at, labels in enumerate(self.labels)
            for low, high in map(span, labels)
            if low <= number <= high
        }
        if not within:
            return tuple(leading)
        position = {int(number) - 1} if self.numbered and 0 < number <= len(self.choices) else set()
        return tuple(sorted({*leading, *within, *position}))

    def _readings(self, number: int) -> tuple[int, ...]:
        """The choice named by ``number`` and the one in that place: one where they agree."""
        found = set(self._numbers.get(Decimal(number), ()))
        if self.numbered and not self.graded and 0 < number <= len(self.choices):
            found.add(number - 1)
        return tuple(sorted(found))

    def _polar(self, words: str) -> tuple[int, ...]:
        """Yes and no, where just one choice is a yes and just one a no."""
        said = _polarity((words,))
        sides = [_polarity((choice.name, *choice.label.values())) for choice in self.choices]
        if self.graded or said is None or sides.count(True) != 1 or sides.count(False) != 1:
            return ()
        return (sides.index(said),)

    def _carried(self, words: str) -> tuple[int, ...]:
        inner, text = None, exact(words).strip(" .!。,")
        if len(text) > 60:  # small words around a label are few
            return ()
        while inner != text:
            inner, text = text, _CARRIED.sub("", text, count=1).strip()
            found = self.certain(text) or self._polar(text) if text and inner != text else ()
            if found:
                return found
        return ()

    def partly(self, words: str) -> tuple[int, ...]:
        """The choices whose label holds ``words``, two characters at least; or a slip away.

        One by itself is the answer only if nothing before it negates it.
        """
        said = bare(words)
        if len(said) < 2 or len(words) > 100:
            return ()
        if re.fullmatch(r"[\d\W]+", said):
            return self._spanning(said)
        latin = said[0].isascii(), said[-1].isascii() and len(said) < 3
        pattern = re.compile(
            ("(?<![a-z])" if latin[0] else "") + re.escape(said) + ("(?![a-z])" if latin[1] else "")
        )
        held = [
            (at, label[: match.start()])
            for at, labels in enumerate(self.labels)
            for label in labels
            if (match := pattern.search(label))
        ]
        found = tuple(sorted({at for at, _ in held}))
        if len(found) == 1 and any(_NEGATION.search(before) for _, before in held):
            return ()
        return found or self._misspelled(said)

    def _spanning(self, said: str) -> tuple[int, ...]:
        """``3-5`` and ``>10`` for labels that go on with a unit; a bare number is none."""
        if said.isdecimal():
            return ()
        return tuple(
            at
            for at, labels in enumerate(self.labels)
            if any(re.match(re.escape(said) + r"(?!\d)", label) for label in labels)
        )

    def _misspelled(self, said: str) -> tuple[int, ...]:
        if len(said) < 5 or not re.fullmatch(r"[a-z' -]+", said):
            return ()
        near = [
            at
            for at, labels in enumerate(self.labels)
            if any(label[:1] == said[0] and slipped(said, label) for label in labels)
        ]
        return (near[0],) if len(near) == 1 else ()


def _polarity(texts: Iterable[str]) -> bool | None:
    folded = {bare(text) for text in texts}
    yes, no = bool(folded & YES), bool(folded & NO)
    return None if yes == no else yes


def number_of(words: str, graded: bool = False) -> int | None:
    """The number by which a choice is called: 3, ③, 三, 第三个, 3rd; on a rating 5分, 5 stars."""
    text = tidy(words).strip(" .,!()[]'\"“”‘’「」。、:;#")
    if graded:
        text = re.sub(r"^(?:我?[打给]|我给)|(?:分|颗?星|points?|stars?|/5)$", "", text).strip()
    else:
        text = re.sub(r"^第|(?<=.)[个项号]$|^(?:no\.?|number|option|the) ?(?=\d)", "", text)
        text = re.sub(r"^(\d+)(?:st|nd|rd|th)(?: one)?$", r"\1", text)
    found = readings(text)
    if len(found) != 1 or found[0] != int(found[0]) or re.search(r"[-+.]", text):
        return None
    return int(found[0])


def leads(labels: Iterable[str]) -> set[Decimal]:
    """The numbers that the labels begin with: ``3 times``, ``三次以上``, ``第二食堂``."""
    found: set[Decimal] = set()
    chinese = "[一二两三四五六七八九十百]+"
    pattern = rf"第?(\d+(?:\.\d+)?)(?![\d.])|第({chinese})|({chinese})(?={_MEASURE})"
    for label in labels:
        match = re.match(pattern, label)
        if match:
            found |= set(readings(match[1] or match[2] or match[3]))
    return found


def speaks_of(labels: Iterable[str], number: int) -> bool:
    """Whether a label holds ``number`` in Chinese anywhere; 一般 and its like hold none."""
    return any(
        readings(run[0]) == (Decimal(number),)
        for label in labels
        for run in _NUMERAL.finditer(_IDIOMS.sub(" ", label))
    )


def span(label: str) -> tuple[Decimal, Decimal]:
    """The first and last number of ``3-5 times``; an empty span where there is none."""
    match = re.search(r"(\d{1,9}) *[-~—–至到] *(\d{1,9})", label)
    return (Decimal(match[1]), Decimal(match[2])) if match else (Decimal(1), Decimal(0))


def has_number(labels: Iterable[str]) -> bool:
    """Whether a label speaks of a number itself."""
    return any(re.search(r"\d", label) for label in labels) or bool(leads(labels))


def slipped(one: str, other: str) -> bool:
    """Whether one letter is wrong, missing, too many, or two beside each other are swapped."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    at = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
    if at is None:
        return True
    rest = one[at:], other[at:]
    swapped = rest[0][:2] == rest[1][:2][::-1] and rest[0][2:] == rest[1][2:]
    return swapped or any(rest[0][a:] == rest[1][b:] for a, b in ((1, 1), (1, 0), (0, 1)))
