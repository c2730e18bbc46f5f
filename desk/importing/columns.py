"""What each importable table looks like: its columns and the words its cells may hold.

Titles and words are accepted in Chinese and English; case, spaces and full-width letters do not
matter.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from zoneinfo import available_timezones

from desk.saying import Saying, shown
from surveys.cells import RaterGroup
from surveys.people import Kind


class CellError(ValueError):
    """A cell that cannot be understood. ``code`` is a key of words.toml, under what and mend."""

    def __init__(self, code: str, **arguments: object) -> None:
        super().__init__(code)
        self.code, self.arguments = code, arguments

    @property
    def what(self) -> str:
        """What is wrong, in English."""
        return Saying(f"what.{self.code}", self.arguments).said("en")

    @property
    def mend(self) -> str:
        """How to mend it, in English."""
        return Saying(f"mend.{self.code}", self.arguments).said("en")


@dataclass(frozen=True, slots=True)
class Column:
    """``titles`` are English first, Chinese second; ``read`` turns a filled cell into a value.

    ``words`` are those of a closed list.
    """

    titles: tuple[str, ...]
    read: Callable[[str], object]
    required: bool = False
    words: Mapping[str, object] = field(default_factory=dict)

    def title(self, language: str) -> str:
        """What the column is called to people."""
        return self.titles[1 if language == "zh" else 0]

    def shown(self, value: str, language: str) -> str:
        """A stored value in the reader's words."""
        fitting = [word for word, meant in self.words.items() if meant == value]
        own = (word for word in fitting if word.isascii() is not (language == "zh"))
        return next(own, value)


@dataclass(frozen=True, slots=True)
class Table:
    """``columns`` by the field they fill; ``titles`` are names a workbook's sheet may bear."""

    name: str
    titles: tuple[str, ...]
    columns: Mapping[str, Column]


def plain(word: str) -> str:
    """``word`` as compared: NFKC, no case, no spaces, underscores or hyphens."""
    return re.sub(r"[\s_\-]", "", unicodedata.normalize("NFKC", word).casefold())


def an_id(cell: str) -> str:
    """A key: at most 64 characters, none of them a space or a control character."""
    if len(cell) > 64 or any(c.isspace() or not c.isprintable() for c in cell):
        raise CellError("id-form", cell=shown(cell, 70))
    return cell


def a_text(cell: str) -> str:
    """Any words of up to 200 characters, on one line."""
    if len(cell) > 200 or not cell.isprintable():
        raise CellError("text-form")
    return cell


def one_of(words: Mapping[str, object], told: str) -> Callable[[str], object]:
    """A reader of a closed list; ``told`` is the list as told to people."""
    known = {plain(word): value for word, value in words.items()}

    def read(cell: str) -> object:
        if plain(cell) not in known:
            raise CellError("word", cell=shown(cell), words=told)
        return known[plain(cell)]

    return read


def a_number(least: float, most: float, code: str) -> Callable[[str], object]:
    """A reader of a finite number in [least, most]; ``50%`` is 0.5. ``code`` says what to write."""
    wanted = Saying(f"number.{code}")

    def read(cell: str) -> object:
        text = re.sub(r",(?=[0-9]{3}(?![0-9]))", "", unicodedata.normalize("NFKC", cell))
        share = text.endswith("%")
        try:
            value = float(text.removesuffix("%").replace("_", "?")) / (100 if share else 1)
        except ValueError:
            raise CellError("number", cell=shown(cell), wanted=wanted) from None
        if not least <= value <= most:  # NaN fails as well
            raise CellError("range", cell=shown(cell), wanted=wanted)
        return value

    return read


def a_period(cell: str) -> str:
    """A calendar quarter: 2026Q4, 2026-q4, 2026年第4季度, 2026年四季度 -> 2026Q4."""
    text = plain(cell).translate(str.maketrans("一二三四", "1234"))
    found = re.fullmatch(r"(20\d\d)(?:q([1-4])|年第?([1-4])季度)", text)
    if found is None:
        raise CellError("quarter", cell=shown(cell))
    return f"{found[1]}Q{found[2] or found[3]}"


def a_chat(cell: str) -> str:
    """The number of a private Telegram chat: positive, at most 52 bits."""
    if not re.fullmatch(r"[0-9]{1,16}", cell) or not 0 < int(cell) < 2**52:
        raise CellError("telegram", cell=shown(cell))
    return str(int(cell))


def some_tags(cell: str) -> str:
    """Words with commas between them, of at most 40 characters each; in order, each once."""
    words = {word.strip() for word in re.split("[,，、;；]", cell)} - {""}
    if any(len(word) > 40 or not word.isprintable() or set(word) & set('"\\') for word in words):
        raise CellError("tags", cell=shown(cell))
    return ",".join(sorted(words))


def a_zone(cell: str) -> str:
    """An IANA time zone."""
    if cell not in available_timezones():
        raise CellError("zone", cell=shown(cell))
    return cell


YES = {"yes": "yes", "是": "yes", "no": "", "否": ""}
KINDS = {
    "citizen": Kind.CITIZEN, "群众": Kind.CITIZEN, "市民": Kind.CITIZEN, "居民": Kind.CITIZEN,
    "staff": Kind.STAFF, "干部": Kind.STAFF, "职工": Kind.STAFF, "工作人员": Kind.STAFF,
}  # fmt: skip
LANGUAGES = {"Chinese": "zh", "中文": "zh", "zh": "zh", "English": "en", "英文": "en", "en": "en"}
SUBJECT_KINDS = {
    "unit": "unit", "单位": "unit", "部门": "unit", "窗口": "unit",
    "official": "official", "干部": "official", "个人": "official",
}  # fmt: skip
GROUPS = {
    "superior": RaterGroup.SUPERIOR, "上级": RaterGroup.SUPERIOR, "SUP": RaterGroup.SUPERIOR,
    "peer": RaterGroup.PEER, "同级": RaterGroup.PEER,
    "subordinate": RaterGroup.SUBORDINATE, "下级": RaterGroup.SUBORDINATE,
    "SUB": RaterGroup.SUBORDINATE,
    "recipient": RaterGroup.RECIPIENT, "服务对象": RaterGroup.RECIPIENT,
    "SVC": RaterGroup.RECIPIENT,
    "self": RaterGroup.SELF, "本人": RaterGroup.SELF, "自评": RaterGroup.SELF,
}  # fmt: skip
CATEGORIES = {
    "basic": "basic", "基本性": "basic", "基本性工作": "basic",
    "phased": "phased", "阶段性": "phased", "阶段性工作": "phased",
    "urgent": "urgent", "急难险重性": "urgent", "急难险重": "urgent",
    "急难险重性工作": "urgent",
}  # fmt: skip

PEOPLE = Table(
    "people",
    ("people", "人员"),
    {
        "id": Column(("id", "编号", "工号", "人员编号"), an_id, required=True),
        "name": Column(("name", "姓名"), a_text),
        "kind": Column(
            ("kind", "类别", "身份"), one_of(KINDS, "citizen, staff (群众, 干部)"), True, KINDS
        ),
        "unit": Column(("unit", "单位", "单位编号", "部门"), an_id),
        "language": Column(
            ("language", "语言"), one_of(LANGUAGES, "中文, English"), words=LANGUAGES
        ),
        "telegram": Column(("telegram", "电报", "telegram id"), a_chat),
        "tags": Column(("tags", "标签"), some_tags),
        "zone": Column(("zone", "时区"), a_zone),
        "left": Column(("left", "已离开", "离职"), one_of(YES, "yes, no (是, 否)"), words=YES),
    },
)
SUBJECTS = Table(
    "subjects",
    ("subjects", "对象", "评价对象"),
    {
        "id": Column(("id", "编号", "对象编号"), an_id, required=True),
        "name_zh": Column(("name_zh", "名称", "中文名称", "中文名", "姓名"), a_text, required=True),
        "name_en": Column(("name_en", "英文名称", "英文名"), a_text),
        "kind": Column(
            ("kind", "类型", "类别"),
            one_of(SUBJECT_KINDS, "unit, official (单位, 干部)"),
            words=SUBJECT_KINDS,
        ),
        "parent": Column(("parent", "上级单位", "所属单位"), an_id),
        "class": Column(("class", "比较组", "分组"), a_text),
    },
)
RELATIONS = Table(
    "relations",
    ("relations", "关系", "评价关系"),
    {
        "rater": Column(("rater", "评价人", "评价人编号"), an_id, required=True),
        "subject": Column(("subject", "评价对象", "对象", "对象编号"), an_id, required=True),
        "group": Column(
            ("group", "关系", "评价主体"),
            one_of(GROUPS, "SUP, PEER, SUB, SVC, SELF (上级, 同级, 下级, 服务对象, 本人)"),
            True,
            GROUPS,
        ),
    },
)
TASKS = Table(
    "tasks",
    ("tasks", "任务", "任务清单"),
    {
        "id": Column(("id", "编号", "任务编号"), an_id, required=True),
        "subject": Column(("subject", "对象", "对象编号", "责任对象"), an_id, required=True),
        "period": Column(("period", "季度", "周期"), a_period, required=True),
        "category": Column(
            ("category", "类别", "任务类别"),
            one_of(CATEGORIES, "basic, phased, urgent (基本性, 阶段性, 急难险重性)"),
            True,
            CATEGORIES,
        ),
        "points": Column(("points", "分值", "工作量"), a_number(0, 1e6, "amount"), required=True),
        "exposure": Column(("exposure", "时间占比", "占比"), a_number(0, 1, "share")),
    },
)
TABLES = {table.name: table for table in (PEOPLE, SUBJECTS, RELATIONS, TASKS)}
