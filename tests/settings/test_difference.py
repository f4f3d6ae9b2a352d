"""A reload knows what it changes, by name and in words."""

from monitor.settings import difference, put_in_force

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
        "receiver desk changed (kind), store changed (at the next start), limits.redirects changed"
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


def test_what_needs_a_start_stays_as_it_is_until_then(desk):
    old = desk.load("state_dir: /a\nfetch: {contact: me}\nlimits: {parse_time: 2s, redirects: 1}\nprefix: one\n")
    new = desk.load(
        "state_dir: /b\nfetch: {contact: you}\nlimits: {parse_time: 9s, redirects: 3}\nprefix: two\noperators: []\n"
    )
    changed = difference(old, new)
    assert changed.needs_restart == ("state_dir", "prefix", "limits.parse_time", "fetch.contact")
    running = put_in_force(old, new)
    assert difference(old, running).settings == ("limits.redirects",)
    assert difference(running, new).needs_restart == changed.needs_restart
    assert running.path == new.path


def test_every_setting_is_compared(desk):
    from monitor.settings import Settings
    from monitor.settings.difference import _PARTS, _WHOLE

    told = {"sources", "rules", "receivers", *_WHOLE, *_PARTS}
    assert set(Settings.model_fields) - told == {"path", "files", "version", "defaults", "warnings"}
