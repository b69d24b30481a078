"""Published vectors of one-time passwords: RFC 4226 appendix D, RFC 6238 appendix B."""

import pytest

from fondaco.domain.identity.people.totp import code_at, step_of

SECRET = b"12345678901234567890"


@pytest.mark.parametrize(
    ("count", "code"),
    [
        (0, "755224"),
        (1, "287082"),
        (2, "359152"),
        (3, "969429"),
        (4, "338314"),
        (5, "254676"),
        (6, "287922"),
        (7, "162583"),
        (8, "399871"),
        (9, "520489"),
    ],
)
def test_hotp_of_rfc_4226(count: int, code: str) -> None:
    assert code_at(SECRET, count) == code


@pytest.mark.parametrize(
    ("at_s", "sha1", "sha256", "sha512"),
    [
        (59, "94287082", "46119246", "90693936"),
        (1111111109, "07081804", "68084774", "25091201"),
        (1111111111, "14050471", "67062674", "99943326"),
        (1234567890, "89005924", "91819424", "93441116"),
        (2000000000, "69279037", "90698825", "38618901"),
        (20000000000, "65353130", "77737706", "47863826"),
    ],
)
def test_totp_of_rfc_6238(at_s: int, sha1: str, sha256: str, sha512: str) -> None:
    step = step_of(at_s * 1_000_000_000)
    keys = {"sha1": SECRET, "sha256": (SECRET * 2)[:32], "sha512": (SECRET * 4)[:64]}
    for name, code in (("sha1", sha1), ("sha256", sha256), ("sha512", sha512)):
        assert code_at(keys[name], step, 8, name) == code
