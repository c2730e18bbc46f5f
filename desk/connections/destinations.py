"""Where this server may be sent by somebody at the desk: public addresses, or none.

Whoever may enter an address must not thereby reach what only this machine can: its own services,
its network, the cloud's metadata. A name is therefore judged by every address it has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit

PORTS = (80, 443, 8443)
LONGEST = 500
_NAME = re.compile(r"(?=.{1,253}\.?$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)(\.[a-z0-9_]"
                   r"([a-z0-9_-]{0,61}[a-z0-9_])?)*\.?")  # fmt: skip
_NUMBER = re.compile(r"(0x[0-9a-f]*|[0-9]+)\.?$")  # a name's last part, read as part of an address
_TRANSLATED = IPv6Network("64:ff9b::/96")  # NAT64: the last 32 bits are an IPv4 address
_TUNNELS = tuple(  # an address in disguise; nobody's server needs these today
    IPv6Network(network)
    for network in ("::/96", "2001::/32", "2002::/16", "64:ff9b:1::/48", "fec0::/10")
)


def url_trouble(url: str, *, private: bool) -> str:
    """What is wrong with ``url`` as a place to send to; '' where it may be tried.

    shape | https | credentials | port | private. A name's addresses are judged when it is sent.
    """
    parts = _parts(url)
    if parts is None or not parts.hostname or parts.fragment:
        return "shape"
    if parts.scheme != "https" and not (private and parts.scheme == "http"):
        return "https"
    if parts.username is not None or parts.password is not None:
        return "credentials"
    literal = _literal(parts.hostname)
    if literal is None and not _named(parts.hostname):
        return "shape"
    if private:
        return ""
    if port_of(url) not in PORTS:
        return "port"
    bare = parts.hostname.rstrip(".")
    local = bare == "localhost" or bare.endswith((".localhost", ".local", ".internal"))
    return "private" if local or (literal is not None and not is_public(literal)) else ""


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether ``address`` is one of the open internet's, whatever disguise it wears."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address in _TRANSLATED:
            return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
        if any(address in network for network in _TUNNELS):
            return False
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_unspecified
    )


def all_public(addresses: Iterable[str]) -> bool:
    """Whether there are addresses and every one is public. One that cannot be read is not."""
    found = [_literal(address.partition("%")[0]) for address in addresses]
    return bool(found) and all(each is not None and is_public(each) for each in found)


def port_of(url: str) -> int:
    """The port that ``url`` leads to."""
    parts = urlsplit(url)
    return parts.port or (443 if parts.scheme == "https" else 80)


def host_of(url: str) -> str:
    """The host that ``url`` leads to, lower case."""
    return urlsplit(url).hostname or ""


def _parts(url: str) -> SplitResult | None:
    if len(url) > LONGEST or not url.isascii() or not re.fullmatch(r"[!-~]+", url) or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
        zero = parts.port == 0
    except ValueError:
        return None
    return None if zero else parts


def _named(host: str) -> bool:
    """A name, not a number that some programs read as an address (2130706433, 0x7f.1)."""
    return bool(_NAME.fullmatch(host)) and not _NUMBER.fullmatch(host.rstrip(".").split(".")[-1])


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
