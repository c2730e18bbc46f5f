"""How often somebody may ask: a bucket of drops for each, in this process's memory.

Several processes behind one address each count for themselves.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import IPv6Address, ip_address

MOST_KEPT = 10_000  # buckets; a full one that is forgotten loses nothing


@dataclass(frozen=True, slots=True)
class Standing:
    """How a bucket stands: whole requests left, and seconds until the next drop falls."""

    allowed: bool
    left: int
    wait: int


@dataclass
class Buckets:
    """One kind of limit: ``burst`` at once, then ``rate`` a second."""

    rate: float
    burst: int
    _kept: OrderedDict[str, tuple[float, datetime]] = field(default_factory=OrderedDict)

    def take(self, key: str, now: datetime) -> Standing:
        """Take one from the bucket of ``key``, where it has one."""
        level = self._level(key, now)
        allowed = level >= 1
        level -= allowed
        self._kept[key] = (level, now)
        self._kept.move_to_end(key)
        if len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        wait = math.ceil(max(0.0, 1 - level) / self.rate)
        return Standing(allowed, int(level), wait)

    def _level(self, key: str, now: datetime) -> float:
        level, at = self._kept.get(key, (float(self.burst), now))
        fallen = max(0.0, (now - at).total_seconds()) * self.rate
        return min(float(self.burst), level + fallen)

    @property
    def policy(self) -> str:
        """The limit as the RateLimit-Policy field says it."""
        return f'"token";q={self.burst};w={math.ceil(self.burst / self.rate)}'


@dataclass
class Limits:
    """The API's: requests of a token, and wrong tokens from an address."""

    token: Buckets = field(default_factory=lambda: Buckets(rate=2, burst=30))
    wrong: Buckets = field(default_factory=lambda: Buckets(rate=1 / 30, burst=10))


def neighbourhood(address: str) -> str:
    """What counts as one address: of IPv6 the network of a household (/64)."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, IPv6Address) and found.ipv4_mapped is None:
        return str(IPv6Address(int(found) >> 64 << 64))
    return str(found)
