"""Bytes → snapshot: every kind of live blog read into the same entries.

    read     choose the kind, read, judge, place times, cap sizes
    kinds    the table KINDS: how each kind is recognised and what reads it
    content  a document's bytes as text, JSON or tree
    suggest  selectors for a page nobody described
    gates    why a document holds no entries, in words

Rule: pure and total: any bytes give a Reading. A new kind is one file and one row of the table.
"""

from monitor.sources.kinds import KINDS
from monitor.sources.memory import ReadMemory
from monitor.sources.read import read
from monitor.sources.suggest import Suggestion, suggest

__all__ = ["KINDS", "ReadMemory", "Suggestion", "read", "suggest"]
