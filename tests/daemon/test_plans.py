"""Every limit of the settings reaches what it bounds."""

import pytest

from monitor.daemon.plans import fetch_settings, parse_worker, source_plan
from monitor.fetch import FetchLimits, HostPolicy
from monitor.settings import load_settings

SETTINGS = """
version: 1
limits:
  wire_size: 1 MiB
  decoded_size: 2 MiB
  ratio: 7
  header_size: 9 KiB
  connect_time: 1s
  idle_time: 2s
  total_time: 3s
  redirects: 4
  parse_time: 7500ms
  parse_memory: 300 MiB
  entries: 11
  entry_characters: 12
  title_characters: 13
fetch: {contact: "mailto:desk@news.example", proxy: "http://proxy.example:3128", concurrency: 14, per_host: 5, spacing: 6s}
sources:
  blog: {url: "https://news.example/live", robots: false, headers: {Authorization: "Bearer x"}}
"""


@pytest.fixture
def settings(tmp_path):
    path = tmp_path / "monitor.yaml"
    path.write_text(SETTINGS)
    return load_settings(path, environ={"HOME": str(tmp_path)})


def test_limits_of_the_settings_bound_a_fetch_and_its_reading(settings):
    plan = source_plan(settings, settings.sources["blog"])
    limits = FetchLimits(1 << 20, 2 << 20, ratio=7, header_bytes=9 << 10, connect=1.0, idle=2.0, total=3.0, redirects=4)
    assert plan.request.limits == limits
    assert (plan.request.robots, dict(plan.request.headers)) == ("ignore", {"Authorization": "Bearer x"})
    options = plan.options
    assert (options.max_entries, options.max_entry_characters, options.max_title_characters) == (11, 12, 13)


def test_the_parsers_processor_time_is_the_settings_and_a_busy_machine_gives_it_more_of_the_clock(settings):
    bounds = parse_worker(settings)._settings
    assert (bounds.cpu_seconds, bounds.deadline, bounds.address_space) == (8, 22.5, 300 << 20)


def test_the_fetcher_presents_itself_and_spares_hosts_as_set(settings):
    fetch = fetch_settings(settings)
    assert fetch.agent().endswith(" (+mailto:desk@news.example)")
    assert (fetch.proxy, fetch.concurrency) == ("http://proxy.example:3128", 14)
    assert fetch.hosts == HostPolicy(concurrency=5, spacing=6.0)
