"""Whether what a source selects can be selected: CSS for pages, JMESPath for JSON.

Rule: an expression is judged by the library that will read it; the page itself is the matter of `monitor parse`.
"""

from __future__ import annotations

from monitor.settings.ground import Ground
from monitor.settings.source import PAGE_KEYS, SourceSettings
from monitor.settings.tree import Scalar, find

_SELECTING = ("auto", "page", "json")


def check_select(ground: Ground, source: SourceSettings) -> None:
    """Note the expressions of one source that cannot be read, and those that do nothing."""
    path = ("sources", source.id, "select")
    if not source.select:
        return
    if source.kind not in _SELECTING:
        said = f"a {source.kind} is not read by selectors: `select` does nothing here"
        ground.warning(path, said, "write kind: page or kind: json, or take it out")
        return
    if source.kind != "json" and "entry" not in source.select:
        ground.warning(path, "without `entry` nothing else is selected", "add entry: and what holds one entry")
    for key, expression in source.select.items():
        if source.kind == "page" and key not in PAGE_KEYS:
            ground.warning((*path, key), f"`{key}` is selected from JSON only", f"a page has {', '.join(PAGE_KEYS)}")
        _check_expression(ground, source, key, expression)


def _check_expression(ground: Ground, source: SourceSettings, key: str, expression: str) -> None:
    from monitor.sources.selected_page import is_selector

    path = ("sources", source.id, "select", key)
    at = _jmespath_mistake(expression)
    is_css = is_selector(expression)
    if source.kind == "page" and not is_css:
        ground.error(path, f"'{expression}' is not a CSS selector", 'write it as "h2", "time@datetime" or "@data-id"')
    elif source.kind == "json" and at is not None:
        _error_at(ground, path, at, f"'{expression}' is not a JMESPath expression", "see https://jmespath.org")
    elif source.kind == "auto" and at is not None and not is_css:
        said = f"'{expression}' is neither a CSS selector nor a JMESPath expression"
        ground.error(path, said, 'write it as "h2" for a page or "items[].title" for JSON')


def _error_at(ground: Ground, path: tuple[str, ...], offset: int, message: str, mend: str) -> None:
    node = find(ground.tree, path)[0]
    place = node.place_of(offset) if isinstance(node, Scalar) else node.place
    ground.problems.error(place, message, mend)


def _jmespath_mistake(expression: str) -> int | None:
    """Return the character at which an expression stops being JMESPath, or None where it is."""
    import jmespath

    try:
        jmespath.compile(expression)
    except jmespath.exceptions.JMESPathError as wrong:
        return max(0, int(getattr(wrong, "lex_position", 0) or getattr(wrong, "lexer_position", 0) or 0))
    return None
