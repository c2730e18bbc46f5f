"""What looks like chance and is made from the interview's seed, so that it never changes."""

from __future__ import annotations

import hashlib
import math
import uuid
from typing import Any

from lxml import etree

from surveys.logic.values import number_of, place_of, text_of, whole


def random(seed: Any, node: list[Any], call: float) -> float:
    """From 0 to below 1; the same for the same seed, node and place in the expression."""
    return (int.from_bytes(_chance(seed, node, call)[:8]) >> 11) / 2**53


def unique(seed: Any, node: list[Any], call: float, length: Any = None) -> str:
    """uuid(): a version 4 UUID, or ``length`` letters and digits; made from the seed."""
    chance = _chance(seed, node, call)
    if length is None:
        return str(uuid.UUID(bytes=chance[:16], version=4))
    wanted, number, letters = whole(length), int.from_bytes(chance), []
    for _ in range(0 if math.isnan(wanted) else int(max(0, min(wanted, 48)))):
        number, digit = divmod(number, 36)
        letters.append("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[digit])
    return "".join(letters)


def _chance(seed: Any, node: list[Any], call: float) -> bytes:
    place = [place_of(n) for n in node[:1] if isinstance(n, etree._Element)]
    return hashlib.sha256(f"{text_of(seed)}\n{place}\n{call:g}".encode()).digest()


def randomized(
    seed: Any, node: list[Any], call: float, nodes: list[Any], own: Any = None
) -> list[Any]:
    """randomize(): the nodes shuffled by ``own``, or else by the interview's seed.

    ODK's shuffle, so that a number gives the order that it gives in Collect and Enketo: Fisher and
    Yates inside out, over Park and Miller's generator (16807, 2^31 - 1). A text is hashed.
    """
    if own is None:
        start = float(int.from_bytes(_chance(seed, node, call)[:4]))
    else:
        number = number_of(own)
        start = whole(number) if math.isfinite(number) else _hashed(text_of(own))
    state = int(math.fmod(start, _MODULUS))
    if state <= 0:
        state += _MODULUS - 1
    order: list[Any] = []
    for place, each in enumerate(nodes):
        state = state * 16_807 % _MODULUS
        other = int((state - 1) / (_MODULUS - 1) * (place + 1))
        order.append(each)
        order[place], order[other] = order[other], each
    return order


_MODULUS = 2**31 - 1


def _hashed(text: str) -> float:
    if not text:
        return 0.0
    return float(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], signed=True))
