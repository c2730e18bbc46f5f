"""Where this server may be sent by somebody at the desk: public addresses, or none.

Whoever may enter an address must not thereby reach what only this machine can: its own services,
its network, the cloud's metadata. A name is therefore judged by every address it has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit

PORTS = (80, 443, 8443)
LONGEST = 500
_NAME = re.compile(r"(?=.{1,253}\.?$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)(\.[a-z0-9_]"
                   r"([a-z0-9_-]{0,61}[a-z0-9_])?)*\.?")  # fmt: skip
_NUMBER = re.compile(r"(0x[0-9a-f]*|[0-9]+)\.?$")  # a name's last part, read as part of an address
# IANA's registries of special-purpose addresses, and anycast where no receiver can be. Written
# out, for what Python calls global differs between its versions.
_SPECIAL_4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24",
        "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24",
        "203.0.113.0/24", "224.0.0.0/3",
    )
)  # fmt: skip
_UNICAST_6 = IPv6Network("2000::/3")  # all that was ever given out to be reached
_SPECIAL_6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3ffe::/16", "3fff::/20",
    )
)  # fmt: skip
_CARRIERS = (IPv6Network("::ffff:0:0/96"), IPv6Network("64:ff9b::/96"))  # of an IPv4 address


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
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _SPECIAL_4)
    if any(address in carrier for carrier in _CARRIERS):
        return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
    return address in _UNICAST_6 and not any(address in network for network in _SPECIAL_6)


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
