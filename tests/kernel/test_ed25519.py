"""Ed25519 against the vectors of RFC 8032, section 7.1, and against itself."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fondaco.kernel.ed25519 import is_signed, public_key, sign

# private key, public key, message, signature
VECTORS = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


@pytest.mark.parametrize(("seed", "key", "message", "signature"), VECTORS)
def test_the_published_vectors(seed: str, key: str, message: str, signature: str) -> None:
    private, text = bytes.fromhex(seed), bytes.fromhex(message)
    assert public_key(private).hex() == key
    assert sign(private, text).hex() == signature
    assert is_signed(bytes.fromhex(key), text, bytes.fromhex(signature))


@settings(max_examples=10, deadline=None)
@given(
    seed=st.binary(min_size=32, max_size=32), text=st.binary(max_size=80), at=st.integers(0, 511)
)
def test_one_bit_makes_it_another_signature(seed: bytes, text: bytes, at: int) -> None:
    key, signature = public_key(seed), sign(seed, text)
    assert is_signed(key, text, signature)
    assert not is_signed(key, text + b"!", signature)
    flipped = int.from_bytes(signature, "little") ^ (1 << at)
    assert not is_signed(key, text, flipped.to_bytes(64, "little"))


@pytest.mark.parametrize(
    ("key", "signature"),
    [
        ("", VECTORS[0][3]),
        (VECTORS[0][1], ""),
        (VECTORS[1][1], VECTORS[0][3]),
        ("ff" * 32, VECTORS[0][3]),  # no point of the curve
        # the same answer, one order of the base point later: RFC 8032 refuses what is not reduced
        (
            VECTORS[0][1],
            VECTORS[0][3][:64]
            + (
                int.from_bytes(bytes.fromhex(VECTORS[0][3][64:]), "little")
                + 2**252
                + 27742317777372353535851937790883648493
            )
            .to_bytes(32, "little")
            .hex(),
        ),
    ],
)
def test_what_is_no_signature_is_none(key: str, signature: str) -> None:
    assert not is_signed(bytes.fromhex(key), b"", bytes.fromhex(signature))


def test_a_key_has_32_bytes() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        sign(b"short", b"")
