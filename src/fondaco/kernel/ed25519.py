"""Ed25519 of RFC 8032, section 5.1, in plain Python: the roots of the journal are signed with it.

A signature takes some ten milliseconds and is made once a day, so no library is worth its weight.
The time that signing takes depends on the key. Nobody else may ask for signatures here, of chosen
texts and often, as a server of signatures would be asked: it is not for that.
"""

from hashlib import sha512
from typing import Final, TypeAlias

SEED_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
_P: Final = 2**255 - 19
_L: Final = 2**252 + 27742317777372353535851937790883648493  # order of the base point
_D: Final = -121665 * pow(121666, -1, _P) % _P
_ROOT: Final = pow(2, (_P - 1) // 4, _P)  # of -1

_Point: TypeAlias = tuple[int, int, int, int]  # X, Y, Z, T with x = X/Z, y = Y/Z, x y = T/Z


def public_key(seed: bytes) -> bytes:
    """Of a private key: 32 random bytes."""
    return _packed(_times(_scalar(seed)[0], _BASE))


def sign(seed: bytes, message: bytes) -> bytes:
    """64 bytes; the same for the same key and message."""
    scalar, prefix = _scalar(seed)
    key = _packed(_times(scalar, _BASE))
    nonce = _number(prefix + message)
    commitment = _packed(_times(nonce, _BASE))
    answer = (nonce + _number(commitment + key + message) * scalar) % _L
    return commitment + answer.to_bytes(32, "little")


def is_signed(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` is of `message` by the owner of the public `key`."""
    if len(key) != SEED_BYTES or len(signature) != SIGNATURE_BYTES:
        return False
    owner, commitment = _unpacked(key), _unpacked(signature[:32])
    answer = int.from_bytes(signature[32:], "little")
    if owner is None or commitment is None or answer >= _L:
        return False
    asked = _number(signature[:32] + key + message)
    return _same(_times(answer, _BASE), _sum(commitment, _times(asked, owner)))


def _scalar(seed: bytes) -> tuple[int, bytes]:
    if len(seed) != SEED_BYTES:
        raise ValueError(f"a private key has {SEED_BYTES} bytes, not {len(seed)}")
    wide = sha512(seed).digest()
    scalar = int.from_bytes(wide[:32], "little") & ((1 << 254) - 8) | (1 << 254)
    return scalar, wide[32:]


def _number(text: bytes) -> int:
    return int.from_bytes(sha512(text).digest(), "little") % _L


def _sum(one: _Point, other: _Point) -> _Point:
    a = (one[1] - one[0]) * (other[1] - other[0]) % _P
    b = (one[1] + one[0]) * (other[1] + other[0]) % _P
    c, d = 2 * one[3] * other[3] * _D % _P, 2 * one[2] * other[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _times(scalar: int, point: _Point) -> _Point:
    found: _Point = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            found = _sum(found, point)
        point = _sum(point, point)
        scalar >>= 1
    return found


def _same(one: _Point, other: _Point) -> bool:
    x, y = one[0] * other[2] - other[0] * one[2], one[1] * other[2] - other[1] * one[2]
    return x % _P == 0 and y % _P == 0


def _x_of(y: int, sign: int) -> int | None:
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    if not square:
        return None if sign else 0
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT % _P
    if (x * x - square) % _P:
        return None
    return x if x & 1 == sign else _P - x


def _packed(point: _Point) -> bytes:
    inverse = pow(point[2], -1, _P)
    x, y = point[0] * inverse % _P, point[1] * inverse % _P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _unpacked(text: bytes) -> _Point | None:
    y = int.from_bytes(text, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    if y >= _P:
        return None
    x = _x_of(y, sign)
    return None if x is None else (x, y, 1, x * y % _P)


_BASE_Y: Final = 4 * pow(5, -1, _P) % _P
_BASE_X: Final = _x_of(_BASE_Y, 0) or 0
_BASE: Final[_Point] = (_BASE_X, _BASE_Y, 1, _BASE_X * _BASE_Y % _P)
