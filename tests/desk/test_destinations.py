"""Which addresses are the open internet's: none that a registry keeps for something else."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.connections.destinations import is_public

SPECIAL = (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24",
    "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
    "224.0.0.0/4", "240.0.0.0/4",
    "::/128", "::1/128", "::/96", "::ffff:0:0:0/96", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64",
    "2001::/32", "2001:2::/48", "2001:10::/28", "2001:20::/28", "2001:30::/28", "2001::/23",
    "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3ffe::/16", "3fff::/20", "5f00::/16",
    "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
)  # fmt: skip


@pytest.mark.parametrize("network", SPECIAL)
def test_no_address_of_a_special_network_is_public(network: str) -> None:
    found = ip_network(network)
    middle = found[found.num_addresses // 2]
    assert not any(is_public(each) for each in (found[0], middle, found[-1]))


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "172.32.0.0",
     "192.0.1.0", "192.88.98.255", "192.88.100.0", "198.20.0.0", "223.255.255.255", "2001:200::1",
     "2001:4860:4860::8888", "2003::1", "2606:4700::1111", "3ffd::1", "3fff:1000::1"],
)  # fmt: skip
def test_their_neighbours_are(address: str) -> None:
    assert is_public(ip_address(address))


@given(st.ip_addresses(v=4))
def test_an_address_carried_in_another_is_judged_as_itself(address: IPv4Address) -> None:
    for prefix in ("::ffff:0:0", "64:ff9b::"):
        carrier = ip_address(int(ip_address(prefix)) | int(address))
        assert is_public(carrier) == is_public(address)
    assert not is_public(ip_address(f"2002:{int(address) >> 16:x}:{int(address) & 0xFFFF:x}::1"))


@given(st.ip_addresses())
def test_nothing_is_public_that_python_calls_private(address: IPv4Address | IPv6Address) -> None:
    carried = any(address in ip_network(each) for each in ("64:ff9b::/96", "::ffff:0:0/96"))
    assert carried or not (is_public(address) and not address.is_global)
