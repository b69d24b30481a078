# What the other kernels of a sensor know of tally.py, so that they read its fields as C does.

from fondaco.domain.fix.capture.sighting cimport Sighting
from fondaco.domain.fix.capture.wire cimport Half


cdef class Line:
    cdef readonly bytes begin
    cdef readonly bytes sender
    cdef readonly bytes target
    cdef readonly Session session
    cdef readonly long long side
    cdef readonly long long messages
    cdef readonly long long octets
    cdef readonly long long garbled
    cdef readonly long long duplicates
    cdef readonly long long gaps
    cdef readonly long long missing
    cdef readonly long long rewinds
    cdef readonly long long due
    cdef readonly long long first_at
    cdef readonly long long last_at
    cdef readonly long long silence
    cdef readonly dict types


cdef class Latency:
    cdef readonly long long count
    cdef readonly long long total
    cdef readonly long long longest
    cdef readonly dict buckets

    cpdef void add(self, long long ns)


cdef class Session:
    cdef readonly str begin_string
    cdef readonly tuple lines
    cdef readonly list flows
    cdef public str state
    cdef readonly list happenings
    cdef readonly long long happened
    cdef readonly Latency latency
    cdef public long long heart_bt_int
    cdef readonly dict open
    cdef readonly long long unanswered
    cdef readonly long long width
    cdef readonly dict timeline
    cdef long long _bucket
    cdef long long _inside

    cdef void _settle(self)
    cdef void beat(self, long long at)


cdef class Tally:
    cdef readonly list sessions
    cdef readonly long long messages
    cdef readonly long long garbled
    cdef readonly long long octets
    cdef dict _lines

    cpdef void observe(self, list sightings)
    cpdef Line line_of(self, object of)
    cdef Line _begun(self, Sighting seen, Half half)
    cpdef void count(self, object of, Line line)
    cdef void _sequence(self, Sighting seen, Line line, Session session, str kind)
    cdef void _session_level(self, Sighting seen, Line line, Session session, str kind)
