"""Which fields hold raw bytes, and which field before them says how many.

All DATA and XMLData fields of FIX 4.0 to 5.0 SP2; the dictionaries know the same pairs, and may add
to them. The rule "length tag = data tag - 1" holds for nearly all; Signature (89) is the oldest
exception.
"""

from collections.abc import Mapping
from typing import Final

_BEHIND: Final = (  # their length is the tag before
    91, 96, 213, 349, 351, 353, 355, 357, 359, 361, 363, 365, 446, 619, 622, 1185, 1278, 1281,
    1283, 1398, 1402, 1404, 1469, 1579, 1621, 1665, 1734, 1872, 1875, 2073, 2075, 2112, 2180,
    2288, 2352, 2482, 2638, 2652, 2666, 2716, 2719, 2722, 2798, 40005, 40009, 40979, 40981,
    40983, 40985, 40987, 40989, 41084, 41102, 41108, 41257, 41321, 41325, 41459, 41477, 41483,
    41654, 41711, 41807, 41812, 41874, 41970, 42026, 42172, 42452, 42653, 42948,
)  # fmt: skip
LENGTH_OF: Final[Mapping[int, int]] = {
    **{tag: tag - 1 for tag in _BEHIND},
    89: 93,
    1527: 1525,
    1697: 1678,
    2371: 2372,
    2493: 2494,
    2521: 2522,
    2801: 2802,
    2808: 2809,
    2814: 2815,
    42486: 43110,
    42684: 43109,
    42982: 43111,
}
# Text in the encoding that MessageEncoding (347) names.
ENCODINGS: Final = {
    "ISO-2022-JP": "iso2022_jp",
    "EUC-JP": "euc_jp",
    "SHIFT_JIS": "shift_jis",
    "Shift_JIS": "shift_jis",
    "UTF-8": "utf-8",
}
_MARKED: Final = 1 << 16


def marks(length_of: Mapping[int, int]) -> bytes:
    """A bit for each data tag below 65,536: how the kernel sees at once that one is no text."""
    bits = bytearray(_MARKED >> 3)
    for tag in length_of:
        if 0 <= tag < _MARKED:
            bits[tag >> 3] |= 1 << (tag & 7)
    return bytes(bits)
