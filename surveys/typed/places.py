"""Coordinates as people write them: ``39.9042, 116.4074``, 北纬39.9 东经116.4, 39°54'N 116°24'E."""

from __future__ import annotations

import re
from decimal import Decimal

from surveys.typed.numbers import shown, tidy
from surveys.typed.trouble import Trouble

_BEFORE = r"北纬|南纬|东经|西经|纬度|经度|latitude|longitude|lat|lon|lng|long|[nsew]"
_DEGREES = re.compile(
    rf"(?P<before>{_BEFORE})?[ :]*(?P<d>[-+]?\d{{1,3}}(?:\.\d{{1,15}})?) ?(?P<sign>[°度])?"
    r"(?: ?(?P<m>\d{1,2}(?:\.\d{1,9})?) ?['′分])?"
    r"(?: ?(?P<s>\d{1,2}(?:\.\d{1,9})?) ?(?:[\"″秒]|'')?)?"
    r" ?(?P<after>[nsew](?![a-z]))?"
)
_BETWEEN = re.compile(r"[,;、 ]+|(?<=\S)(?=东经|西经|北纬|南纬|经度|纬度)|(?<=[nsew])(?=\d)")
_ALONG = {"北纬": "n", "南纬": "s", "东经": "e", "西经": "w", "纬度": "lat", "经度": "lon"}
_PLACES = Decimal("1e-7")  # of a degree: about a centimetre


def read_place(words: str) -> str | Trouble:
    """``latitude longitude 0 0`` in degrees (WGS 84), as ODK keeps a point.

    Latitude comes first where nothing else is said; a first number beyond 90 can only be a
    longitude. A pair without a decimal point, a degree sign or a side is no place.
    """
    text = tidy(words.replace("′′", "″").replace("’", "'").replace("”", '"')).strip(" ()[]。.")
    if len(text) > 120:
        return Trouble("not_a_place")
    if match := re.fullmatch(r"(-?\d+\.\d+) (-?\d+\.\d+) -?\d+(?:\.\d+)? \d+(?:\.\d+)?", text):
        text = f"{match[1]} {match[2]}"  # as ODK writes it, with altitude and accuracy
    for mark in _BETWEEN.finditer(text):
        first, second = text[: mark.start()], text[mark.end() :]
        pair = _DEGREES.fullmatch(first), _DEGREES.fullmatch(second)
        if pair[0] and pair[1]:
            found = _point(pair[0], pair[1])
            if found:
                return found
    return Trouble("not_a_place")


def _point(first: re.Match[str], second: re.Match[str]) -> str | None:
    said = first[0] + second[0]
    if not re.search(r"[.°度nsew东西南北经纬]", said):
        return None
    one, other = _value(first), _value(second)
    axes = _axis(first), _axis(second)
    if None in (one, other) or (axes[0] and axes[0] == axes[1]):
        return None
    assert one is not None
    assert other is not None
    swapped = axes[0] == "lon" or axes[1] == "lat" or (axes == ("", "") and abs(one) > 90)
    latitude, longitude = (other, one) if swapped else (one, other)
    if abs(latitude) > 90 or abs(longitude) > 180:
        return None
    return f"{shown(latitude.quantize(_PLACES))} {shown(longitude.quantize(_PLACES))} 0 0"


def _axis(match: re.Match[str]) -> str:
    side = _side(match)
    return "lat" if side in {"n", "s", "lat", "latitude"} else "lon" if side else ""


def _side(match: re.Match[str]) -> str:
    side = match["before"] or match["after"] or ""
    return _ALONG.get(side, side)


def _value(match: re.Match[str]) -> Decimal | None:
    """Degrees with their sign; None where minutes, sides or signs contradict each other."""
    degrees, side = Decimal(match["d"]), _side(match)
    minutes, seconds = Decimal(match["m"] or 0), Decimal(match["s"] or 0)
    loose = (match["s"] and not match["m"]) or (match["m"] and "." in match["d"])
    if loose or minutes >= 60 or seconds >= 60 or (match["before"] and match["after"]):
        return None
    if side in {"n", "s", "e", "w"} and match["d"][0] in "+-":
        return None  # minus 39 south?
    size = abs(degrees) + minutes / 60 + seconds / 3600
    negative = match["d"].startswith("-") or side in {"s", "w"}
    return -size if negative else size
