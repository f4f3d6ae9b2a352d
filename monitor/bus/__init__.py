"""Redis and Valkey: publishing the outbox, subscribing, and a server of our own.

Rule: the only room that knows Redis. Redis is never the truth: it can be emptied at any moment and is refilled.
"""

from monitor.bus.connection import Connection, connect
from monitor.bus.outbox import Outbox, Position, StreamKey
from monitor.bus.relay import Relay, RelayEvents, RelayState, Truncated
from monitor.bus.server import EmbeddedServer, running_url
from monitor.bus.subscriber import (
    Subscription,
    subscribe,
    subscribe_alerts,
    subscribe_alerts_raw,
    subscribe_raw,
)
from monitor.bus.sync import SyncSubscription, subscribe_sync

__all__ = [
    "Connection",
    "EmbeddedServer",
    "Outbox",
    "Position",
    "Relay",
    "RelayEvents",
    "RelayState",
    "StreamKey",
    "Subscription",
    "SyncSubscription",
    "Truncated",
    "connect",
    "running_url",
    "subscribe",
    "subscribe_alerts",
    "subscribe_alerts_raw",
    "subscribe_raw",
    "subscribe_sync",
]
