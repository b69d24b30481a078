"""What the kernels use of `cython`, for machines without it: every mark does nothing.

A kernel is one file in Cython's pure-Python mode. Compiled, its marks become C; run as it is, with
this module in the place of `cython`, it is its own oracle.
"""

from typing import Any, Final, TypeVar

T = TypeVar("T")

compiled: Final = False


class _Mark:
    """A C type or a decorator: may be called, or subscripted as `longlong[::1]`."""

    def __call__(self, *args: Any, **_: Any) -> Any:
        # A decorator on its own gives back what it decorates, one with arguments another mark.
        return args[0] if len(args) == 1 and callable(args[0]) else self

    def __getitem__(self, _: object) -> "_Mark":
        return self


bint = int = longlong = ulonglong = uchar = uint = p_uchar = p_const_uchar = Py_ssize_t = void = (
    _Mark()
)
boundscheck = wraparound = cdivision = initializedcheck = exceptval = locals = returns = _Mark()


def declare(kind: object = None, value: Any = None, **_: object) -> Any:
    return value


def cast(_: object, value: T) -> T:
    return value


def _same(marked: T) -> T:
    return marked


cclass = cfunc = ccall = final = inline = no_gc = _same
