"""Which addresses are public. The table is IANA's special-purpose registries."""

import pytest

from fondaco.kernel.errors import Invalid
from fondaco.ports.outbound.addresses import is_allowed, is_public, networks, read

PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "223.255.255.255",
    "2606:4700::1111",
    "2a00:1450::1",
    "64:ff9b::808:808",
    "2002:808:808::1",
]
NOT_PUBLIC = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.255",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:a9fe:a9fe::",
    "3fff::1",
    "fc00::1",
    "fd12::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("text", PUBLIC)
def test_these_may_be_called(text: str) -> None:
    assert is_public(read(text))


@pytest.mark.parametrize("text", NOT_PUBLIC)
def test_these_may_not(text: str) -> None:
    assert not is_public(read(text))


def test_networks_are_allowed_by_name() -> None:
    allowed = networks("10.1.0.0/16, ::1/128,")
    assert is_allowed(read("10.1.2.3"), allowed)
    assert is_allowed(read("::1"), allowed)
    assert not is_allowed(read("10.2.0.1"), allowed)
    assert networks("") == ()
    with pytest.raises(Invalid, match="list of networks"):
        networks("10.0.0.1/8")
