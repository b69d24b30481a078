# What matching.py says to the C compiler alone: places in records, which are constants there, and how
# to ask that an address be brought nearer, since it is needed soon.

cdef enum:
    _OWNER = 1
    _LEAVES = 2
    _SHOWN = 3
    _DISPLAY = 4
    _NEXT = 5
    _PREV = 6
    _LEVEL = 7
    _HEAD = 1
    _TAIL = 2
    _VISIBLE = 3

cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
    #define fondaco_prefetch(address) __builtin_prefetch(address)
    #else
    #define fondaco_prefetch(address) ((void) 0)
    #endif
    """
    void fondaco_prefetch(const void *address) noexcept nogil
