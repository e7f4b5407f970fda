"""What an MQTT URL, a password and a CA file may be, and what Home Assistant is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import UsageError
from edge.sinks.home_assistant import discovery, node_of
from edge.sinks.mqtt import open_mqtt
from edge.sinks.mqtt_address import PASSWORD, find_password, parse_mqtt_url


@pytest.mark.parametrize(
    ("url", "host", "port", "topic", "user"),
    [
        ("mqtt://broker/desk", "broker", 1883, "desk", None),
        ("mqtts://broker/desk", "broker", 8883, "desk", None),
        ("mqtt://me@broker.local:2883/home/desk/", "broker.local", 2883, "home/desk", "me"),
        ("mqtt://[::1]/desk", "::1", 1883, "desk", None),
        ("mqtts://me@[fe80::1]:99/desk", "fe80::1", 99, "desk", "me"),
        ("mqtt://home%40me@broker/k%C3%BCche", "broker", 1883, "küche", "home@me"),
    ],
)
def test_an_address_is_user_host_port_and_topic(url: str, host: str, port: int, topic: str, user: str | None) -> None:
    address = parse_mqtt_url(url)
    assert (address.host, address.port, address.topic, address.user) == (host, port, topic, user)
    assert address.tls == url.startswith("mqtts")
    assert parse_mqtt_url(str(address)).port == port, "what is shown is an address, too"


@pytest.mark.parametrize(
    "url",
    [
        *("desk", "http://broker/desk", "mqtt:broker/desk", "mqtt://broker", "mqtt://broker/", "mqtt:///desk"),
        *("mqtt://broker/a//b", "mqtt://broker/+/a", "mqtt://broker/#", "mqtt://broker/a?b", "mqtt://broker/a b"),
        *("mqtt://broker/a%23", "mqtt://broker/%2B", "mqtt://broker/a%00", "mqtt://broker/$SYS", "mqtt://broker/a\n"),
        *("mqtt://broker:x/a", "mqtt://broker:99999/a", "mqtt://broker:0/a", "mqtt://[::1/a", "mqtt://b/" + "a" * 201),
    ],
)
def test_a_malformed_address_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match=r"^'?--mqtt"):
        parse_mqtt_url(url)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.text(min_size=1).filter(lambda text: "s3cret" not in text))
def test_a_password_in_the_address_is_refused_and_never_repeated(text: str) -> None:
    for url in (
        f"mqtt://me:s3cret{text}@broker/desk",
        f"mqtts://me:{text}s3cret@broker:x/desk",
        f"mqtt://:s3cret@{text}",
    ):
        with pytest.raises(UsageError) as caught:
            parse_mqtt_url(url)
        assert "s3cret" not in str(caught.value)


def test_the_password_comes_from_a_file_or_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PASSWORD, raising=False)
    address = parse_mqtt_url("mqtt://me@broker/desk")
    file = tmp_path / "password"
    file.write_text("from a file \r\nanother line\n")
    assert find_password(address, None) is None
    assert find_password(address, file) == "from a file "
    monkeypatch.setenv(PASSWORD, "from the environment")
    assert find_password(address, None) == "from the environment"
    assert find_password(address, file) == "from a file "
    with pytest.raises(UsageError, match="a password needs a user"):
        find_password(parse_mqtt_url("mqtt://broker/desk"), None)


def test_a_password_file_that_gives_none_is_refused(tmp_path: Path) -> None:
    address = parse_mqtt_url("mqtt://me@broker/desk")
    empty, binary = tmp_path / "empty", tmp_path / "binary"
    empty.write_text("\n")
    binary.write_bytes(b"\xff\xfe\x00")
    for file, words in (
        (empty, "empty"),
        (binary, "not text"),
        (tmp_path / "none", "No such file"),
        (tmp_path, "director"),
    ):
        with pytest.raises(UsageError, match=words):
            find_password(address, file)


def test_a_password_that_everybody_can_read_is_told_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    address = parse_mqtt_url("mqtt://me@broker/desk")
    file = tmp_path / "password"
    file.write_text("s3cret\n")
    for mode, told in ((0o600, 0), (0o640, 0), (0o644, 1)):
        file.chmod(mode)
        assert find_password(address, file) == "s3cret"
        assert caplog.text.count("everybody on this machine can read it") == told
    assert "s3cret" not in caplog.text


def test_a_ca_file_without_certificates_or_without_tls_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("no certificate\n")
    with pytest.raises(UsageError, match="no certificates in PEM"):
        open_mqtt("mqtts://broker/desk", ca_file=file, state=tmp_path)
    with pytest.raises(UsageError, match="No such file"):
        open_mqtt("mqtts://broker/desk", ca_file=tmp_path / "none", state=tmp_path)
    with pytest.raises(UsageError, match="goes with mqtts"):
        open_mqtt("mqtt://broker/desk", ca_file=file, state=tmp_path)


def test_home_assistant_gets_a_sensor_and_a_connection_of_one_device() -> None:
    told = {topic: json.loads(payload) for topic, payload in discovery("home/desk").items()}
    sensor = next(value for topic, value in told.items() if topic.startswith("homeassistant/sensor/"))
    binary = next(value for topic, value in told.items() if topic.startswith("homeassistant/binary_sensor/"))
    assert sensor["state_topic"] == "home/desk/state" and "confidence" in sensor["json_attributes_template"]
    assert sensor["availability_topic"] == binary["state_topic"] == "home/desk/availability"
    assert (binary["payload_on"], binary["payload_off"], binary["device_class"]) == (
        "online",
        "offline",
        "connectivity",
    )
    assert sensor["device"] == binary["device"] and sensor["unique_id"] != binary["unique_id"]
    assert discovery("home/desk") == discovery("home/desk")


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.text(min_size=1), st.text(min_size=1))
def test_every_topic_has_a_name_of_its_own_that_discovery_takes(one: str, other: str) -> None:
    assert (node_of(one) == node_of(other)) == (one == other)
    assert all(letter.isascii() and (letter.isalnum() or letter == "_") for letter in node_of(one))
    for topic in discovery(one):
        assert len(topic.split("/")) == 5
