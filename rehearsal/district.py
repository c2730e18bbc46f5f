"""A made-up district: units, people, relations, tasks and the personas who play them."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from surveys.cells import RaterGroup
from surveys.people import Invite, Kind, Person, Relation, Subject


@dataclass(frozen=True, slots=True)
class Window:
    """A unit of the district; ``served`` and ``inside`` are mean grades by people and by staff.

    Its head is rated as an official, around ``inside`` as well, and thinks better of themselves.
    """

    id: str
    zh: str
    en: str
    parent: str
    staff: int
    citizens: int
    served: float
    inside: float

    @property
    def head(self) -> Subject:
        """Whoever leads it, as somebody who is rated."""
        name = {"zh": f"{self.zh}负责人", "en": f"Head of {self.en}"}
        return Subject(f"{self.id}_head", name, "official", self.id, rating_class="official")


UNITS = (
    Window("household", "户籍窗口", "Household registration", "centre", 10, 70, 4.4, 4.3),
    Window("marriage", "婚姻登记窗口", "Marriage registry", "centre", 8, 46, 4.6, 4.4),
    Window("social", "社保窗口", "Social insurance", "centre", 9, 58, 3.6, 4.0),
    Window("medical", "医保窗口", "Medical insurance", "centre", 8, 52, 3.9, 3.8),
    Window("property", "不动产登记窗口", "Property registry", "centre", 8, 40, 3.2, 3.7),
    Window("tax", "办税服务厅", "Tax hall", "centre", 7, 38, 4.1, 4.2),
    Window("business", "企业开办窗口", "Business start-up", "centre", 4, 30, 4.3, 4.1),
    Window("housing", "公积金窗口", "Housing fund", "centre", 3, 26, 3.8, 3.9),
    Window("welfare", "民政救助站", "Social assistance", "street", 2, 16, 4.2, 4.5),
    Window("jobs", "就业服务站", "Employment service", "street", 2, 14, 4.0, 3.6),
    Window("vehicle", "车辆管理站", "Vehicle office", "street", 1, 6, 3.4, 3.5),
    Window("letters", "来信来访接待室", "Letters and visits", "street", 1, 4, 3.0, 3.9),
)
PARENTS = (
    ("centre", "政务服务中心", "Government service centre"),
    ("street", "街道办事处", "Subdistrict office"),
)
SURNAMES = "王李张刘陈杨赵黄周吴徐孙马朱胡林郭何高罗"
GIVEN = (
    "伟",
    "芳",
    "娜",
    "敏",
    "静",
    "强",
    "磊",
    "洋",
    "艳",
    "勇",
    "军",
    "杰",
    "涛",
    "明",
    "霞",
    "平",
    "红",
    "玲",
    "丽",
    "斌",
)
LEADERS = 3
PROUD = 4.7  # what heads give themselves, in the mean
FIRST_CHAT = 700_000_000
CATEGORIES = ("basic", "phased", "urgent")


@dataclass(frozen=True, slots=True)
class District:
    """Everything to load, and ``personas`` as the stage takes them (JSON)."""

    subjects: tuple[Subject, ...]
    people: tuple[Person, ...]
    relations: tuple[Relation, ...]
    invites: tuple[Invite, ...]
    tasks: tuple[tuple[str, str, float], ...]  # subject, category, points
    personas: tuple[dict[str, Any], ...]

    @property
    def citizens(self) -> int:
        """People who come by QR code; they are nobody until they do."""
        return len(self.personas) - len(self.people)


def district(seed: int) -> District:
    """The same district for the same ``seed``."""
    chance = Random(seed)
    subjects = [Subject(i, {"zh": zh, "en": en}) for i, zh, en in PARENTS]
    subjects += [Subject(u.id, {"zh": u.zh, "en": u.en}, parent=u.parent) for u in UNITS]
    subjects += [unit.head for unit in UNITS]
    people, relations = _staff(chance)
    served = {name: unit.served for unit in UNITS for name in (unit.zh, unit.en)}
    inside = {name: unit.inside for unit in UNITS for name in (unit.zh, unit.en)}
    inside |= {name: unit.inside for unit in UNITS for name in unit.head.name.values()}
    own = {each.rater: each.subject for each in relations if each.group is RaterGroup.SELF}
    proud = {unit.head.id: dict.fromkeys(unit.head.name.values(), PROUD) for unit in UNITS}
    personas = [
        _persona(
            chance,
            number,
            f"/start s_{person.id}",
            person.name,
            inside | proud.get(own.get(person.id, ""), {}),
            seed,
        )
        for number, person in enumerate(people)
    ]
    for unit in UNITS:
        for _ in range(unit.citizens):
            number = len(personas)
            personas.append(
                _persona(chance, number, f"/start u_{unit.id}", f"市民{number}", served, seed)
            )
    invites = [Invite(f"u_{unit.id}", "unit", unit.id) for unit in UNITS]
    invites += [Invite(f"s_{person.id}", "staff", person.id) for person in people]
    return District(
        tuple(subjects),
        tuple(people),
        tuple(relations),
        tuple(invites),
        tuple(_tasks(chance)),
        tuple(personas),
    )


def _staff(chance: Random) -> tuple[list[Person], list[Relation]]:
    """Leaders rate all; heads other units, other heads, themselves; staff their own and two units.

    A head's own staff rate the head, too.
    """
    people: list[Person] = []
    relations: list[Relation] = []
    ids = [unit.id for unit in UNITS]

    def join(unit: str | None) -> Person:
        name = chance.choice(SURNAMES) + chance.choice(GIVEN)
        person = Person(f"p{len(people) + 1:02d}", Kind.STAFF, name, unit)
        people.append(person)
        return person

    def peers(rater: Person, count: int) -> None:
        others = chance.sample([i for i in ids if i != rater.unit], count)
        relations.extend(Relation(rater.id, other, RaterGroup.PEER) for other in others)

    for _ in range(LEADERS):
        leader = join(None)
        relations += [Relation(leader.id, office, RaterGroup.SUPERIOR) for office in ids]
        relations += [Relation(leader.id, u.head.id, RaterGroup.SUPERIOR) for u in UNITS]
    for unit in UNITS:
        head = join(unit.id)
        peers(head, 4)
        relations.append(Relation(head.id, unit.head.id, RaterGroup.SELF))
        others = [each.head.id for each in UNITS if each is not unit]
        relations += [Relation(head.id, each, RaterGroup.PEER) for each in others]
    for unit in UNITS:
        for _ in range(unit.staff):
            worker = join(unit.id)
            relations.append(Relation(worker.id, unit.id, RaterGroup.SUBORDINATE))
            relations.append(Relation(worker.id, unit.head.id, RaterGroup.SUBORDINATE))
            peers(worker, 2)
    return people, relations


def _persona(
    chance: Random, number: int, first: str, name: str, mood: dict[str, float], seed: int
) -> dict[str, Any]:
    language = "en" if chance.random() < 0.1 else "zh"
    opinion = {"kind": "seeded", "mood": mood, "seed": seed * 1000 + number, "spread": 0.8}
    return {
        "id": FIRST_CHAT + number,
        "name": name,
        "language": language,
        "opinion": opinion,
        "traits": "ordinary",
        "first": first,
        "seed": seed,
    }


def _tasks(chance: Random) -> list[tuple[str, str, float]]:
    """Every unit has standing duties; some a key project, a few an emergency this quarter.

    Their heads have the same.
    """
    tasks: list[tuple[str, str, float]] = []
    for unit in UNITS:
        tasks.append((unit.id, "basic", 100.0))
        if chance.random() < 0.7:
            tasks.append((unit.id, "phased", chance.choice((40.0, 60.0, 80.0))))
        if chance.random() < 0.4:
            tasks.append((unit.id, "urgent", chance.choice((20.0, 40.0))))
    heads = {unit.id: unit.head.id for unit in UNITS}
    return tasks + [(heads[subject], category, points) for subject, category, points in tasks]
