"""The keys that must never lie in the database: what the ballot box and the interviews need.

A dump of the database without these keys opens nothing; destroying a wave's keys after its tally
makes its sealed ballots, wherever a copy may still lie, unreadable and unlinkable for good.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class WaveKeys:
    """The two secrets of one wave; neither is shown by ``repr``.

    ``rid_key`` (32 bytes) turns person and subject into the row id of a ballot (HMAC-SHA256).
    ``tally_secret`` (32 bytes) is the X25519 secret that opens the wave's ballots.
    """

    rid_key: bytes = field(repr=False)
    tally_secret: bytes = field(repr=False)


class Keyring(Protocol):
    """Keeps keys outside the database. Every ``bytes`` here is 32 long."""

    def app_key(self) -> bytes:
        """The application's own secret (for a SecretBox); made on first use."""
        ...

    def new_wave(self, wave: str) -> bytes:
        """Make the wave's keys where it has none; returns the public tally key (X25519)."""
        ...

    def wave_keys(self, wave: str) -> WaveKeys | None:
        """The wave's secrets; None where they were destroyed or never made."""
        ...

    def destroy_wave(self, wave: str) -> None:
        """Destroy the wave's secrets; doing it again is no error."""
        ...

    def reader_public(self, name: str) -> bytes:
        """The X25519 public key that seals concerns for the reader ``name``; made on first use."""
        ...

    def reader_secret(self, name: str) -> bytes:
        """The secret half of :meth:`reader_public`."""
        ...
