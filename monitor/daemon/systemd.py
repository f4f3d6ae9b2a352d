"""Telling a service manager how we are (sd_notify(3)): ready, reloading, stopping, and a watchdog tied to real progress."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping


class ServiceManager:
    """The manager that started us, or nobody."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        watched = environ.get("WATCHDOG_PID", "") in ("", str(os.getpid()))
        self._watchdog = int(environ.get("WATCHDOG_USEC", "0")) / 1e6 if watched else 0.0

    @property
    def watchdog_seconds(self) -> float | None:
        """How often to say that we live: half of what the manager waits for; None if it does not ask."""
        return self._watchdog / 2 if self._address and self._watchdog else None

    def ready(self, words: str) -> None:
        """Say that we work."""
        self._say(f"READY=1\nSTATUS={words}")

    def reloading(self) -> None:
        """Say that the settings are being read again; `ready` ends it."""
        self._say(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """Say that we end."""
        self._say("STOPPING=1")

    def alive(self) -> None:
        """Feed the watchdog."""
        self._say("WATCHDOG=1")

    def _say(self, message: str) -> None:
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            channel.setblocking(False)
            try:
                channel.sendto(message.encode(), self._address)
            except OSError:
                return  # a manager that does not listen must not stop what it manages
