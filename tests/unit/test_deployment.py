"""The deployment files agree with each other and with the code.

No engine is needed: compose is read by podman-compose's `config` and by a typed parser of the specification.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

from pipeline import __version__
from pipeline.cli import build_parser
from pipeline.settings import ENVIRONMENT_PREFIX, Settings, load
from pipeline.topics import topic_name
from tests.compose import ROOT, kafka_properties, mounts, resolved, run_config, service

OURS = ("watcher", "worker", "stories", "monitor")
SERVICES = ("kafka", "topics", *OURS, "prometheus", "grafana")


def read_yaml(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text())


def seconds(duration: str) -> int:
    assert duration.endswith("s")
    return int(duration[:-1])


# --- compose ------------------------------------------------------------------------------------


def test_compose_keeps_to_the_specification() -> None:
    compose = PyCompose.from_yaml(resolved())
    compose.validate()
    assert sorted(compose.service_names()) == sorted(SERVICES)


def test_there_is_no_default_password() -> None:
    done = run_config()
    assert done.returncode != 0
    assert "GRAFANA_PASSWORD" in done.stderr


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_is_confined(name: str) -> None:
    found = service(name)
    assert found["read_only"] is True
    assert found["cap_drop"] == ["ALL"]
    assert found["security_opt"] == ["no-new-privileges:true"]
    assert found["user"].split(":")[0] not in ("root", "0")
    assert seconds(found["stop_grace_period"]) == 30
    assert not {"privileged", "cap_add", "network_mode", "pid"} & found.keys()


@pytest.mark.parametrize("name", SERVICES)
def test_every_image_is_pinned(name: str) -> None:
    assert re.search(r":v?\d+\.\d+\.\d+$", service(name)["image"])


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_published_on_this_machine_only(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in service(name).get("ports", []))


@pytest.mark.parametrize("name", ["kafka", "prometheus", "grafana"])
def test_foreign_images_have_a_healthcheck(name: str) -> None:
    assert service(name)["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")


@pytest.mark.parametrize("name", OURS)
def test_our_image_is_this_version_and_waits_for_kafka(name: str) -> None:
    found = service(name)
    assert found["image"] == f"copydesk:{__version__}"
    assert found["depends_on"] == {"topics": {"condition": "service_completed_successfully"}}
    # What else stood here would hide the image's /livez; doctor asks for that, too.
    assert found.get("healthcheck", {}).get("test") == (["CMD", "copydesk", "doctor"] if name == "watcher" else None)


def test_topics_are_made_once_before_any_role_starts() -> None:
    found = service("topics")
    assert found["image"] == f"copydesk:{__version__}"
    assert found["depends_on"] == {"kafka": {"condition": "service_healthy"}}
    assert found["restart"] == "on-failure"
    assert found["healthcheck"] == {"disable": True}  # it serves nothing


def test_two_workers_and_one_watcher() -> None:
    assert service("worker")["deploy"]["replicas"] == 2
    assert "deploy" not in service("watcher")
    assert "ports" not in service("worker")  # a second one could not have the same


def test_what_is_mounted_exists() -> None:
    declared = set(yaml.safe_load(resolved())["volumes"])
    named: set[str] = set()
    for name in SERVICES:
        for volume in service(name).get("volumes", []):
            source, target, *mode = volume.split(":")
            if not source.startswith("."):
                named.add(source)
            elif target != "/inbox":
                assert (ROOT / source).exists(), volume
                assert mode == ["ro"], volume
    assert named == declared


# --- our roles ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["topics", *OURS])
def test_commands_and_settings_are_ours(name: str) -> None:
    found = service(name)
    environment = found["environment"]
    unknown = {key.removeprefix(ENVIRONMENT_PREFIX).lower() for key in environment} - set(vars(Settings()))
    assert not unknown
    flags = vars(build_parser(found["command"][0]).parse_args(found["command"]))
    settings = load(flags, environment, ROOT / "no-such.toml")
    assert settings.metrics_host == "0.0.0.0"
    assert settings.drain_seconds < seconds(found["stop_grace_period"])
    # The root file system is read-only, so what a role writes goes where it may.
    assert any(settings.data_dir.startswith(mount.split(":")[0]) for mount in found["tmpfs"])


def test_the_watcher_reads_the_inbox_and_never_writes_to_it() -> None:
    found = service("watcher")
    assert found["volumes"] == ["./inbox:/inbox:ro"]
    flags = vars(build_parser("watch").parse_args(found["command"]))
    settings = load(flags, found["environment"], ROOT / "no-such.toml")
    assert (settings.inbox, settings.after) == (("/inbox",), "keep")


# --- Kafka --------------------------------------------------------------------------------------


def listeners(text: str) -> dict[str, str]:
    return dict(part.split("://", 1) for part in text.split(","))


def test_kafka_listens_where_its_clients_look() -> None:
    properties = kafka_properties()
    bound, advertised = listeners(properties["listeners"]), listeners(properties["advertised.listeners"])
    protocols = dict(part.split(":") for part in properties["listener.security.protocol.map"].split(","))
    assert bound.keys() == protocols.keys()
    assert bound.keys() - advertised.keys() == {properties["controller.listener.names"]}
    assert advertised[properties["inter.broker.listener.name"]] == service("worker")["environment"]["COPYDESK_BROKER"]
    port = advertised["HOST"].split(":")[1]
    assert service("kafka")["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert bound["HOST"] == f":{port}"


def test_kafka_is_its_own_controller() -> None:
    properties = kafka_properties()
    address = listeners(properties["listeners"])[properties["controller.listener.names"]]
    assert properties["controller.quorum.voters"] == f"{properties['node.id']}@{address}"


def test_kafka_keeps_its_data_on_a_volume() -> None:
    assert mounts("kafka")[kafka_properties()["log.dirs"]] == "kafka-data"


def test_kafka_can_write_and_load_what_it_must() -> None:
    options = dict(mount.split(":") for mount in service("kafka")["tmpfs"])
    assert options.keys() == {"/tmp", "/opt/kafka/config", "/opt/kafka/logs"}
    assert "exec" in options["/tmp"].split(",")  # native compression libraries are unpacked there


# --- Prometheus and Grafana ---------------------------------------------------------------------


def scraped() -> dict[str, str]:
    """host → port of every target."""
    targets: dict[str, str] = {}
    for job in read_yaml("docker/prometheus/prometheus.yml")["scrape_configs"]:
        for group in job.get("static_configs", []):
            targets.update(target.split(":") for target in group["targets"])
        for group in job.get("dns_sd_configs", []):
            targets.update({name: str(group["port"]) for name in group["names"]})
    return targets


def test_prometheus_scrapes_every_role_where_it_serves() -> None:
    targets = scraped()
    assert targets.pop("localhost") == "9090"  # itself
    assert targets == {name: service(name)["environment"]["COPYDESK_METRICS_PORT"] for name in OURS}


def test_prometheus_reads_our_configuration() -> None:
    found = service("prometheus")
    assert "--config.file=/etc/prometheus/prometheus.yml" in found["command"]
    assert mounts("prometheus")["/etc/prometheus"] == "./docker/prometheus"
    assert "--storage.tsdb.path=/prometheus" in found["command"]
    assert mounts("prometheus")["/prometheus"] == "prometheus-data"


def test_grafana_finds_prometheus_and_the_dashboards() -> None:
    (source,) = read_yaml("docker/grafana/provisioning/datasources/prometheus.yml")["datasources"]
    assert source["url"] == "http://prometheus:9090"
    assert (
        source["jsonData"]["timeInterval"] == read_yaml("docker/prometheus/prometheus.yml")["global"]["scrape_interval"]
    )
    (provider,) = read_yaml("docker/grafana/provisioning/dashboards/copydesk.yml")["providers"]
    assert mounts("grafana")[provider["options"]["path"]] == "./docker/grafana/dashboards"
    home = Path(service("grafana")["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert (ROOT / "docker/grafana/dashboards" / home.name).exists()


def test_grafana_lets_nobody_in_without_the_password() -> None:
    environment = service("grafana")["environment"]
    assert environment["GF_SECURITY_ADMIN_PASSWORD"] == "a-password"
    assert environment["GF_AUTH_ANONYMOUS_ENABLED"] == "false"
    assert environment["GF_USERS_ALLOW_SIGN_UP"] == "false"


# --- TLS and passwords --------------------------------------------------------------------------

SASL = "docker/docker-compose.sasl.yml"


def test_with_the_second_file_it_is_still_compose() -> None:
    compose = PyCompose.from_yaml(resolved(SASL))
    compose.validate()
    assert sorted(compose.service_names()) == sorted(SERVICES)


@pytest.mark.parametrize("name", SERVICES)
def test_the_second_file_takes_no_confinement_away(name: str) -> None:
    plain, secured = service(name), service(name, SASL)
    for key in ("read_only", "cap_drop", "security_opt", "user", "stop_grace_period", "image"):
        assert secured[key] == plain[key]
    assert secured.get("command") == plain.get("command")
    assert secured.get("healthcheck") == plain.get("healthcheck")


def test_kafkas_healthcheck_logs_in_where_it_must() -> None:
    test = service("kafka", SASL)["healthcheck"]["test"]
    assert "$CLIENT_OPTIONS" in test[-1].replace("$$", "$")
    option, path = service("kafka", SASL)["environment"]["CLIENT_OPTIONS"].split()
    assert option == "--command-config"
    assert path in mounts("kafka", SASL)


def test_nobody_reaches_kafka_in_plain_text() -> None:
    properties = kafka_properties(SASL)
    bound = listeners(properties["listeners"])
    protocols = dict(part.split(":") for part in properties["listener.security.protocol.map"].split(","))
    assert bound.keys() == protocols.keys()
    plain = {name for name, protocol in protocols.items() if protocol != "SASL_SSL"}
    assert plain == {properties["controller.listener.names"]}
    assert bound["CONTROLLER"].startswith("localhost:")
    # The image asks for a key store with a password where a listener's name ends in SSL.
    assert "SSL://" not in properties["advertised.listeners"]


@pytest.mark.parametrize("name", ["topics", *OURS])
def test_our_roles_log_in_with_a_password_from_a_file(name: str) -> None:
    found = service(name, SASL)
    settings = load({}, found["environment"], ROOT / "no-such.toml")
    assert (settings.security_protocol, settings.sasl_mechanism) == ("SASL_SSL", "PLAIN")
    assert not settings.sasl_password
    mounted = {f"/run/secrets/{secret}" for secret in found["secrets"]}
    assert {settings.sasl_password_file, settings.ssl_cafile} == mounted


def test_no_password_stands_in_a_file_of_ours() -> None:
    properties = kafka_properties(SASL)
    jaas = {value for key, value in properties.items() if key.endswith("jaas.config")}
    assert jaas == {"${file:/etc/kafka/secrets/users.properties:jaas}"}


def test_the_live_page_is_where_its_port_is_published() -> None:
    found = service("monitor")
    settings = load({}, found["environment"], ROOT / "no-such.toml")
    assert settings.page_host == "0.0.0.0"
    assert f"127.0.0.1:{settings.page_port}:{settings.page_port}" in found["ports"]


# --- Kafka Connect ------------------------------------------------------------------------------


def test_the_examples_for_connect_read_our_topic_and_committed_records_alone() -> None:
    folder = ROOT / "docker/connect"
    found = {path.name: path.read_text().splitlines() for path in folder.glob("*.properties")}
    assert found.keys() == {"worker.properties", "jdbc-sink.properties", "opensearch-sink.properties"}
    assert "consumer.isolation.level=read_committed" in found.pop("worker.properties")
    for lines in found.values():
        assert f"topics={topic_name(Settings().prefix, 'enriched')}" in lines
        (password,) = [line for line in lines if line.startswith("connection.password=")]
        assert re.fullmatch(r"connection\.password=\$\{file:/run/secrets/\w+\.properties:password\}", password)
