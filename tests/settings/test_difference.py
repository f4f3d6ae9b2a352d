"""A reload knows what it changes, by name and in words."""

from monitor.settings import difference

OLD = """
    sources: {a: https://example.org/a, b: {url: https://example.org/b, every: 15s}}
    rules: {truce: {match: ceasefire, notify: desk}, halted: halted}
    receivers: {desk: {webhook: https://example.org/hook, secret: "${SECRET}"}}
"""


def test_equal_settings_differ_in_nothing(desk):
    changed = difference(desk.load(OLD), desk.load(OLD))
    assert not changed
    assert str(changed) == "nothing changed"


def test_what_came_went_and_changed_is_named(desk):
    old = desk.load(OLD)
    new = desk.load("""
        sources: {b: {url: https://example.org/b, every: 30s, title: B}, c: https://example.org/c}
        rules: {truce: {match: ceasefire violation, notify: desk}, halted: halted}
        receivers: {desk: {terminal: true}}
        limits: {redirects: 2}
        store: postgresql://localhost/monitor
    """)
    changed = difference(old, new)
    assert changed.sources.added == ("c",)
    assert changed.sources.removed == ("a",)
    assert changed.sources.changed == {"b": ("title", "every")}
    assert changed.rules.changed == {"truce": ("match",)}
    assert changed.receivers.changed == {"desk": ("kind",)}
    assert changed.needs_restart == ("store",)
    assert str(changed) == (
        "+1 source (c), -1 source (a), source b changed (title, every), rule truce changed (match), "
        "receiver desk changed (kind), store changed (at the next start), limits changed"
    )


def test_a_changed_secret_is_a_change_that_shows_nothing(desk, canary):
    old = desk.load(OLD)
    desk.environ["SECRET"] = canary + "2"
    changed = difference(old, desk.load(OLD))
    assert str(changed) == "receiver desk changed (secret)"
    assert canary not in repr(changed)


def test_moving_or_commenting_the_file_changes_nothing(desk):
    old = desk.load(OLD)
    assert not difference(old, desk.load("\n# a comment\n" + OLD.replace("    sources", "    # more\n    sources")))
