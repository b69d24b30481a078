"""Notices put together: who is told of what, the queue, the process that carries, its commands."""
