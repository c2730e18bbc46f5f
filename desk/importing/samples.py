"""A small table of each kind that can be imported as it stands, in either language."""

from __future__ import annotations

import csv
import io

from desk.importing.columns import TABLES
from surveys.words import LANGUAGES

ORDER = ("subjects", "people", "relations", "tasks")
"""The order to import them in: each names what the ones before it brought."""

_ROWS: dict[str, dict[str, tuple[tuple[str, ...], ...]]] = {
    "subjects": {
        "zh": (
            ("D1", "政务服务中心", "Government Service Centre", "单位", "", ""),
            ("W1", "户籍窗口", "Household Registration", "单位", "D1", ""),
            ("O1", "张主任", "Director Zhang", "干部", "D1", ""),
        ),
        "en": (
            ("D1", "政务服务中心", "Government Service Centre", "unit", "", ""),
            ("W1", "户籍窗口", "Household Registration", "unit", "D1", ""),
            ("O1", "张主任", "Director Zhang", "official", "D1", ""),
        ),
    },
    "people": {
        "zh": (
            ("P1", "李四", "干部", "D1", "中文", "", "党员", "", ""),
            ("P2", "王五", "干部", "W1", "", "", "", "", "否"),
            ("C1", "", "群众", "", "", "", "", "", ""),
        ),
        "en": (
            ("P1", "Li Si", "staff", "D1", "Chinese", "", "member", "", ""),
            ("P2", "Wang Wu", "staff", "W1", "", "", "", "", "no"),
            ("C1", "", "citizen", "", "", "", "", "", ""),
        ),
    },
    "relations": {
        "zh": (("P1", "O1", "下级"), ("P2", "O1", "下级"), ("C1", "W1", "服务对象")),
        "en": (("P1", "O1", "subordinate"), ("P2", "O1", "subordinate"), ("C1", "W1", "recipient")),
    },
    "tasks": {
        "zh": (
            ("T1", "W1", "2026Q4", "基本性", "20", "100%"),
            ("T2", "O1", "2026Q4", "急难险重性", "5", "50%"),
        ),
        "en": (
            ("T1", "W1", "2026Q4", "basic", "20", "100%"),
            ("T2", "O1", "2026Q4", "urgent", "5", "50%"),
        ),
    },
}


def sample(name: str, language: str) -> bytes | None:
    """The table ``name`` as CSV in UTF-8 with a mark for Excel; None where there is no such."""
    if name not in TABLES or language not in LANGUAGES:
        return None
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow([column.title(language) for column in TABLES[name].columns.values()])
    writer.writerows(_ROWS[name][language])
    return written.getvalue().encode("utf-8-sig")
