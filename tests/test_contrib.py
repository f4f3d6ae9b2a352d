"""What is shipped for operators fits the program: the dashboard, the alert rules, the unit file, the container file."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from monitor.cli import COMMANDS
from monitor.daemon.metrics import Metrics

ROOT = Path(__file__).parents[1]
DASHBOARD = json.loads((ROOT / "contrib/grafana/dashboard.json").read_text(encoding="utf-8"))
RULES = yaml.safe_load((ROOT / "contrib/prometheus/alerts.yaml").read_text(encoding="utf-8"))["groups"][0]["rules"]
UNIT = ROOT / "contrib/systemd/monitor.service"
EXPRESSIONS = [
    *(target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", ())),
    *(rule["expr"] for rule in RULES),
]
SCRAPED = {"job", "instance"}  # labels that Prometheus itself puts on


@pytest.fixture(scope="module")
def samples():
    """The labels of every sample there is after the start, by its name."""
    metrics = Metrics()
    metrics.expect(("one",), ("halted",), ("desk",))
    metrics.last_success.labels("one").set(1)
    found = {}
    for family in text_string_to_metric_families(metrics.render().decode()):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def named(expression):
    return set(re.findall(r"\bmonitor_[a-z_]+", expression))


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_names_metrics_and_labels_that_there_are(samples, expression):
    assert expression.count("(") == expression.count(")")
    assert named(expression) or expression.startswith("up{")
    assert named(expression) <= samples.keys()
    known = SCRAPED.union(*(samples[name] for name in named(expression)))
    used = {label.strip() for group in re.findall(r"by \(([^)]*)\)", expression) for label in group.split(",")}
    used |= set(re.findall(r"(\w+)[!=]~?=?\"", expression))
    assert used <= known


def test_what_only_rises_is_a_counter_and_nothing_else_is_named_like_one():
    families = list(text_string_to_metric_families(Metrics().render().decode()))
    assert all(
        (family.type == "counter") == any(one.name.endswith("_total") for one in family.samples)
        for family in families
        if family.samples
    )


def test_every_metric_of_the_daemons_own_is_on_the_dashboard_or_alerted_on(samples):
    shown = {re.sub(r"_(bucket|count|sum)$", "", name) for expression in EXPRESSIONS for name in named(expression)}
    there = {re.sub(r"_(bucket|count|sum|created)$", "", name) for name in samples}
    spare = {
        "monitor_build_info",
        "monitor_rule_matches_total",
        "monitor_published_total",
        "monitor_notification_latency_seconds",
        "monitor_config_last_reload_success_timestamp_seconds",
    }
    counters = {name.removesuffix("_total") for name in there if name.endswith("_total")}
    assert there - counters - spare <= shown


def test_each_alert_says_how_bad_it_is_and_what_happened_with_labels_that_there_are(samples):
    assert len({rule["alert"] for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule["labels"]["severity"] in ("critical", "warning", "info")
        summary = rule["annotations"]["summary"]
        known = SCRAPED.union(*(samples[name] for name in named(rule["expr"])))
        assert set(re.findall(r"\$labels\.(\w+)", summary)) <= known
        assert set(re.findall(r": monitor ([a-z]+)", summary)) <= COMMANDS.keys()


def test_the_dashboard_asks_for_its_datasource_and_no_panels_overlap():
    assert [variable["type"] for variable in DASHBOARD["templating"]["list"]][0] == "datasource"
    panels = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not taken & cells
        taken |= cells
        assert {target["datasource"]["uid"] for target in panel["targets"]} == {"${datasource}"}


@pytest.fixture
def unit(tmp_path):
    """The unit file with a program that is there: verifying looks for it."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    copy = tmp_path / "monitor.service"
    copy.write_text(UNIT.read_text().replace("/opt/monitor/bin/monitor", sys.executable), encoding="utf-8")
    return copy


def test_systemd_understands_every_line_of_the_unit(unit):
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, timeout=50)
    ours = [line for line in (done.stdout + done.stderr).splitlines() if unit.name in line]
    assert ours == []


def test_the_unit_shuts_out_what_it_does_not_need(unit):
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", str(unit)], capture_output=True, text=True, timeout=50
    )
    exposure = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert exposure, done.stdout + done.stderr
    assert float(exposure[1]) < 2.0


def test_the_unit_starts_a_command_that_there_is_and_leaves_what_a_restart_cannot_mend():
    text = UNIT.read_text()
    program, command, *options = re.search(r"^ExecStart=(.+)$", text, re.MULTILINE)[1].split()
    assert (program, command) == ("/opt/monitor/bin/monitor", "run")
    assert set(options[::2]) == {"-c"}
    assert re.search(r"^RestartPreventExitStatus=73 75 77 78$", text, re.MULTILINE)


def test_the_container_file_passes_its_linter():
    linter = shutil.which("hadolint")
    if linter is None:
        pytest.skip("hadolint is not installed")
    done = subprocess.run([linter, str(ROOT / "Dockerfile")], capture_output=True, text=True, timeout=50)
    assert done.returncode == 0, done.stdout


def test_the_container_runs_as_nobody_special_in_exec_form_and_copies_what_is_there():
    text = (ROOT / "Dockerfile").read_text()
    last = text[text.rindex("\nFROM ") :]
    user = re.search(r"^USER (\d+):(\d+)$", last, re.MULTILINE)
    assert int(user[1]) >= 1000
    for instruction in ("ENTRYPOINT", "CMD"):
        assert re.search(rf"^{instruction} \[", last, re.MULTILINE)
    assert re.search(r"^VOLUME /state$", last, re.MULTILINE)
    for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE):
        assert all((ROOT / part).exists() for part in line.split()[:-1])
