"""Webhooks put together: what is told, the queue, the process that delivers, and its commands."""
