# What the other kernels of a sensor know of wire.py, so that they read its fields as C does.

from fondaco.domain.fix.capture.sighting cimport Sighting


cdef class Half:
    cdef readonly object flow
    cdef readonly long long side
    cdef readonly long long segments
    cdef readonly long long octets
    cdef readonly long long messages
    cdef readonly long long garbled
    cdef readonly long long lost
    cdef readonly long long again
    cdef readonly long long unparsed
    cdef readonly long long reordered
    cdef readonly long long tiny
    cdef readonly long long ttl
    cdef readonly long long first_at
    cdef readonly long long last_at
    cdef readonly bint closed
    cdef public object session
    cdef public object place
    cdef public bint is_reset
    cdef readonly object tls
    cdef long long next
    cdef long long pos
    cdef long long strangers
    cdef object reason
    cdef list pending
    cdef long long waiting
    cdef bytearray carry
    cdef long long carry_offset
    cdef Py_ssize_t need
    cdef bint synced
    cdef list recent
    cdef long long recent_at
    cdef long long _places[16]
    cdef Py_ssize_t _consumed
    cdef Py_ssize_t _needs

    cpdef void opened(self, long long seq)
    cpdef void seen(self, long long ttl, long long at, long long offset)
    cpdef void segment(
        self, bytes data, Py_ssize_t start, Py_ssize_t stop, long long seq, long long missing,
        long long at, long long offset, list out
    )
    cpdef void line(self, bytes raw, long long at, long long offset, list out)
    cpdef void finish(self, long long at, list out)
    cdef void _hold(self, bytes piece, long long ahead, long long missing, long long at, long long offset)
    cdef void _drain(self, long long at, list out)
    cdef void _give_up(self, long long at, list out)
    cdef void _skip(self, long long n, long long at, long long offset, list out)
    cdef void _compare(self, bytes piece, long long ahead, long long at, long long offset)
    cdef void _conflict(self, long long n, long long at, long long offset)
    cdef void _take(
        self, bytes data, Py_ssize_t start, Py_ssize_t stop, long long at, long long offset, list out
    )
    cdef void _remember(self, bytes data, Py_ssize_t start, Py_ssize_t stop, list out, Py_ssize_t before)
    cdef void _again(self, long long at, long long offset, list out, bint last)
    cdef void _scan(
        self, bytes data, Py_ssize_t i, Py_ssize_t stop, long long at, long long offset,
        long long later, list out, bint last
    )
    cdef void _unread(self, Py_ssize_t n, long long at, long long offset)
    cdef Py_ssize_t _frame(self, bytes data, Py_ssize_t i, Py_ssize_t stop, bint last)
    cdef Py_ssize_t _cut(self, bytes data, Py_ssize_t i, Py_ssize_t stop, bint last)
    cdef void _emit(self, bytes raw, long long at, long long offset, list out)
