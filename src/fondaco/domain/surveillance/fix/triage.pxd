# What the detectors know of triage.py, so that they read its fields as C does.

from fondaco.domain.fix.capture.sighting cimport Sighting
from fondaco.domain.fix.capture.tally cimport Line, Session, Tally
from fondaco.domain.fix.capture.wire cimport Half


cdef enum:
    _ODD = 2
    _BINARY = 4
    _LONG = 8
    _SIZE = 16
    _DUP = 32
    _UNDUE = 64
    _OUTSIDE = 128
    _STRANGE = 256
    _MOVED = 512
    _SKEWED = 1024
    _FRESH = 2048
    _UNDEFINED = 4096


cdef class Call:
    cdef readonly object flow
    cdef public str stage
    cdef public str before
    cdef public Sighting logon
    cdef public bint accepted
    cdef public long long logouts
    cdef public list told
    cdef public long long last_at
    cdef readonly bint is_log
    cdef readonly bint began


cdef class Track:
    cdef public Call owner
    cdef public Sighting last
    cdef public bint has_skew
    cdef public long long skew
    cdef public long long times
    cdef public long long drift_at
    cdef public long long drift_skew
    cdef public long long hour


cdef class Place:
    cdef readonly Call call
    cdef readonly Line line
    cdef readonly Track track
    cdef readonly Track other
    cdef readonly long long due
    cdef readonly bint is_blind
    cdef long long losses
    cdef Half back
    cdef object of


cdef class Triage:
    cdef object _call_of
    cdef object _detectors
    cdef dict _places
    cdef dict _tracks
    cdef dict _seeing
    cdef long long _value_max
    cdef long long _warn

    cpdef void see(self, object of, object at_line)
    cpdef void observe(self, list sightings, object counts)
    cdef Place _place(self, Half half, Line line)
    cdef void _advance(self, Sighting seen, Call call)
    cdef unsigned long long _traits(self, Sighting seen, Place place)
    cdef bint _is_skewed(self, Sighting seen, Place place)
    cdef list _seeing_of(self, str kind)
