# What the other kernels of a sensor know of sighting.py, so that they read its fields as C does.

cdef class Sighting:
    cdef readonly bytes raw
    cdef readonly long long at
    cdef readonly long long offset
    cdef readonly object half
    cdef readonly object garbled
    cdef readonly str msg_type
    cdef readonly long long seq
    cdef readonly bytes begin
    cdef readonly bytes sender
    cdef readonly bytes target
    cdef readonly object cl_ord_id
    cdef readonly bint poss_dup
    cdef readonly long long odd_bytes
    cdef readonly long long undefined
    cdef readonly long long longest
    cdef readonly unsigned long long twice
    cdef readonly unsigned long long known
    cdef readonly unsigned long long beyond
    cdef readonly bint is_odd
    cdef Py_ssize_t _sent
    cdef object _fields
    cdef object _tags
    cdef object _oddities
    cdef unsigned short _starts[64]
    cdef unsigned short _stops[64]

    cdef void take(self, bytes raw, long long at, long long offset, object half, object garbled)
    cdef void _locate(self)
    cdef void _weigh(self, long long tag, unsigned char first, Py_ssize_t length)
    cdef void _low(self, long long tag, unsigned long long bit, Py_ssize_t start, Py_ssize_t stop)
    cdef void _keep(self, long long tag, Py_ssize_t start, Py_ssize_t stop)
    cdef object _find(self, long long wanted)
    cdef list _from(self, long long least, long long most)
    cdef void _split(self)
    cpdef object get(self, long long tag)
    cpdef bint differs(self, object than, long long tag)
    cpdef list fields_from(self, long long least)
    cpdef unsigned long long content(self)
    cpdef long long stamp(self)
    cpdef bint has_fraction(self)
    cpdef void forget(self)
