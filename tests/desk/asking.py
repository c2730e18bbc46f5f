"""What campaigns need before there can be one: a questionnaire, people, and who rates whom."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from desk.campaigns.wishing import Wish
from surveys.cells import RaterGroup
from surveys.forms.form import Form
from surveys.forms.xlsform import load_form
from surveys.people import Address, Chat, Kind, Person, Relation, Subject

QUESTIONNAIRES = Path(__file__).parents[2] / "questionnaires"
SERVICE = load_form(QUESTIONNAIRES / "service.md")
LEADERSHIP = load_form(QUESTIONNAIRES / "leadership.md")
CONCERN = load_form(QUESTIONNAIRES / "concern.md")


def furnish(
    tx: Any, recipients: int = 12, forms: tuple[Form, ...] = (SERVICE, LEADERSHIP, CONCERN)
) -> None:
    """Two windows; ``recipients`` rate both, half of them by Telegram; three staff are peers."""
    for form in forms:
        tx.put_form(form.hash, form.title, form.source)
    tx.put_subjects([Subject(f"w{n}", {"zh": f"{n}号窗口", "en": f"Window {n}"}) for n in (1, 2)])
    citizens = [Person(f"c{n}", Kind.CITIZEN, f"居民{n}") for n in range(recipients)]
    staff = [Person(f"s{n}", Kind.STAFF, f"员工{n}") for n in range(3)]
    tx.put_people([*citizens, *staff, Person("gone", Kind.CITIZEN, "钱某", opted_out=True)])
    for person in citizens[: recipients // 2]:
        tx.put_chat(Chat(Address("telegram", person.id[1:] + "00"), person.id, "zh"))
        tx.put_chat(Chat(Address("web", person.id), person.id, "zh"))
    asked = [Relation(person.id, window, RaterGroup.RECIPIENT)
             for person in citizens for window in ("w1", "w2")]  # fmt: skip
    asked += [Relation(person.id, "w1", RaterGroup.PEER) for person in staff]
    tx.put_relations([*asked, Relation("gone", "w1", RaterGroup.RECIPIENT)])


def wish(**changed: str) -> Wish:
    """A campaign that may be made on 23 November 2026."""
    usual = {
        "id": "window",
        "form": SERVICE.hash[:10],
        "title_zh": "窗口满意度",
        "title_en": "Window satisfaction",
        "groups": "SVC",
        "starts": "2026-11-23",
        "recurrence": "",
        "zone": "Asia/Shanghai",
        "hour": "9",
        "days": "14",
        "reminders": "3,7",
        "k": "5",
    }
    return Wish(**usual | changed)
