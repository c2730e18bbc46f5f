"""What to try on an open question: first what its words ask for, after a refusal something else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rehearsal.reader import Screen

WORDS = {
    "zh": (
        "等了很久，但态度很好。",
        "材料一次说清就好了。",
        "窗口指引不清楚。",
        "办得很快，谢谢。",
    ),
    "en": (
        "I waited long, but was treated kindly.",
        "Please list all papers at once.",
        "The signs were unclear.",
        "Quick and friendly, thank you.",
    ),
}


@dataclass(frozen=True, slots=True)
class Here:
    """The place where the person stands: degrees, metres."""

    latitude: float = 31.2304
    longitude: float = 121.4737
    accuracy: float = 12.0


@dataclass(frozen=True, slots=True)
class Item:
    """Something to hand over: a key of ``samples.SAMPLES``."""

    kind: str


Answer = str | Here | Item
"""A label to press, words to type, or something else to give."""

_WANTS: tuple[tuple[str, tuple[Answer, ...]], ...] = (
    # place, photo, sound, film, file, moment, day, hour, number
    (r"位置|定位|经纬度|在哪|地点|\blocation\b|\bwhere\b|coordinates", (Here(),)),
    (r"照片|相片|图片|拍一张|\bphoto|\bpicture", (Item("photo"),)),
    (r"语音|录音|\bvoice\b|\brecording", (Item("voice"),)),
    (r"视频|录像|\bvideo\b", (Item("video"),)),
    (r"文件|附件|\bfile\b|\bdocument\b", (Item("document"),)),
    (
        r"什么时候|何时|\bwhen\b|date and time|\d{4}-\d\d-\d\d \d\d:\d\d",
        ("2026-01-05 14:30", "昨天 14:30"),
    ),
    (
        r"日期|哪一?天|几月几|\bdate\b|(which|what) day|\d{4}-\d\d-\d\d",
        ("2026-01-05", "昨天", "今天", "明天"),
    ),
    (r"几点|钟|时间|\btime\b|\d\d:\d\d", ("14:30", "9:00")),
    (
        r"数|多少|几|年龄|\bnumber\b|how (many|much|old|often)|\bage\b",
        ("3", "12", "1", "30", "60", "100", "0", "5.5", "2000"),
    ),
)
_EXAMPLE = re.compile(
    r"(?:例如|比如|for example|e\.g\.|such as)[\s：:]*[“\"「]?([^”\"」，、,;；。\n]+?)"
    r"[”\"」]?(?:\s*(?:或|or\b)|[，、,;；。\n]|\.(?!\d)|$)",
    re.IGNORECASE,
)
_SPAN = re.compile(r"(?:从|from|：)\s*(-?\d+(?:\.\d+)?)\s*(?:到|to)\s*-?\d")


class Attempts:
    """One person's memory of what they tried where. ``language`` is the one they write."""

    def __init__(self, language: str) -> None:
        self._words = WORDS.get(language[:2], WORDS["en"])
        self._tried: dict[str, set[Answer]] = {}

    def next(self, screen: Screen, words: str | None) -> Answer | None:
        """What to give now; ``words`` are what the person would say. None: nothing helps.

        After everything has failed the question is skipped where that is possible.
        """
        tried = self._tried.setdefault(screen.key, set())
        found = next((way for way in self._ways(screen, words) if way not in tried), None)
        if found is None:
            return screen.skip
        tried.add(found)
        return found

    def _ways(self, screen: Screen, words: str | None) -> Iterator[Answer]:
        asked, other = _sorted(screen)
        if not (asked and isinstance(asked[0][0], Here)):  # coordinates are for who cannot share
            for found in (_SPAN.search(screen.text), _EXAMPLE.search(screen.text)):
                if found is not None:
                    yield found[1].strip()
        for ways in asked:
            yield from ways
        yield words or self._words[0]
        for ways in other:
            yield from ways


def _sorted(screen: Screen) -> tuple[list[tuple[Answer, ...]], list[tuple[Answer, ...]]]:
    """What the text speaks of, and the rest. How to answer says more than the question itself, and
    what it names first more than what follows."""
    found: list[tuple[int, tuple[Answer, ...]]] = []
    other: list[tuple[Answer, ...]] = []
    for told, ways in _WANTS:
        pattern = re.compile(told, re.IGNORECASE)
        match = pattern.search(screen.how)
        if match is not None:
            found.append((match.start(), ways))
        elif pattern.search(screen.text):
            found.append((len(screen.how), ways))
        else:
            other.append(ways)
    return [ways for _, ways in sorted(found, key=lambda pair: pair[0])], other
