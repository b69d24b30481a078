"""Y2: the Merkle trees of Certificate Transparency's own test vectors (RFC 6962, RFC 9162)."""

from typing import Final

import pytest

from fondaco.kernel.merkle import Peaks, consistency, inclusion, leaf_hash, root_of
from fondaco.runtime.proofs.verifier import check_consistency, check_inclusion
from kernel.test_merkle import Drawn

LEAVES: Final = (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
)  # fmt: skip
ROOTS: Final = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
A: Final = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
B: Final = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
C: Final = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
D: Final = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
E: Final = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
F: Final = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
HASHES: Final = [leaf_hash(bytes.fromhex(leaf)) for leaf in LEAVES]


@pytest.mark.parametrize("size", range(len(ROOTS)))
def test_y2_the_root_of_the_first_leaves(size: int) -> None:
    assert root_of(size, Drawn(HASHES)).hex() == ROOTS[size]
    peaks = Peaks()
    peaks.extend(HASHES[:size])
    assert peaks.root().hex() == ROOTS[size]


@pytest.mark.parametrize(
    ("index", "size", "path"),
    [
        (0, 1, []),
        (0, 8, [A, B, C]),
        (5, 8, [D, E, ROOTS[4]]),
        (2, 3, [ROOTS[2]]),
        (1, 5, [ROOTS[1], B, D]),
    ],
)
def test_y2_paths_of_inclusion(index: int, size: int, path: list[str]) -> None:
    found = inclusion(index, size, Drawn(HASHES))
    assert [each.hex() for each in found] == path
    check_inclusion(HASHES[index], index, size, bytes.fromhex(ROOTS[size]), found)


@pytest.mark.parametrize(
    ("old", "size", "path"),
    [
        (1, 1, []),
        (1, 8, [A, B, C]),
        (6, 8, [F, E, ROOTS[4]]),
        (2, 5, [B, D]),
    ],
)
def test_y2_paths_of_consistency(old: int, size: int, path: list[str]) -> None:
    found = consistency(old, size, Drawn(HASHES))
    assert [each.hex() for each in found] == path
    if old < size:
        roots = (bytes.fromhex(ROOTS[old]), bytes.fromhex(ROOTS[size]))
        check_consistency(old, size, *roots, found)
