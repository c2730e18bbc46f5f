"""In which order a person is asked about the subjects of a wave.

Each in an order of their own, as good as drawn by lot: whoever tires half-way would else always
leave out the same offices. It is the same at each look, so an interview begun stays the first.

Whether somebody's self-assessment is there is told under their name. In an order that others can
reckon it would tell, too, which ratings they gave before it; so theirs takes the wave's own key,
which its tally destroys.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from surveys.cells import RaterGroup
from surveys.store import Assignment


def in_turn(left: Sequence[Assignment], key: Callable[[str], bytes]) -> list[Assignment]:
    """``left`` of one person, wave by wave as they come; ``key`` gives a wave's (0..64 bytes)."""
    waves = list(dict.fromkeys(each.wave for each in left))
    named = {each.wave for each in left if each.group is RaterGroup.SELF}
    keys = {wave: key(wave) if wave in named else b"" for wave in waves}
    return sorted(left, key=lambda each: (waves.index(each.wave), _lot(each, keys[each.wave])))


def _lot(one: Assignment, key: bytes) -> bytes:
    words = "\x1f".join((one.wave, one.person, one.subject))
    return hashlib.blake2b(words.encode(), key=key, digest_size=16, person=b"turn").digest()
