"""Bytes → snapshot: every kind of live blog read into the same entries.

    read            choose the kind, read, judge, place times, cap sizes
    kinds           the table KINDS: how each kind is recognised and what reads it
    content         a document's bytes as text, JSON or tree
    feed…           RSS, Atom, RDF, CDF by feedparser, changed items only; json_feed
    liveblog        schema.org (schema, microdata) held against the page; vendors: live-blog systems' JSON
    blocks_page     the repeated time-stamped block of any page (dom…), selected_page by selectors, suggest for them
    selected_json   any JSON by JMESPath
    stamped_text    text with time lines
    dating          days for bare clock times
    cuts, limits, gates   what is half a document, too dear, or not the live blog, and why in words

Rule: pure and total: any bytes give a Reading. A new kind is one file and one row of the table.
"""

from monitor.sources.kinds import KINDS
from monitor.sources.memory import ReadMemory
from monitor.sources.read import read
from monitor.sources.suggest import Suggestion, suggest

__all__ = ["KINDS", "ReadMemory", "Suggestion", "read", "suggest"]
