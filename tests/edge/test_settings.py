"""Settings: one file for what the flags say, printed so that it reads back, every mistake told with its place."""

from __future__ import annotations

import inspect
import tomllib
from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.cli import run as command
from edge.errors import UsageError
from edge.settings.read import read_settings
from edge.settings.values import (
    EventSettings,
    LimitSettings,
    MqttSettings,
    ReadingSettings,
    RunSettings,
    SnapshotSettings,
    WebSettings,
)
from edge.settings.write import ABOUT, changes, settings_toml
from edge.sources.settings import CameraSettings
from edge.toml.table import Flag
from edge.values import Box

ALL = RunSettings(
    source="rtsp://camera.local/live",
    wait=True,
    camera=CameraSettings(
        size=(1280, 720), fps=12.5, exposure_ms=8.0, focus=0.25, rotation=270, mirror=True, timeout_s=3.0
    ),
    reading=ReadingSettings(
        mode="number", model="lecture", strip_model="strip", threshold=0.8, roi=Box(left=1, top=2, right=30, bottom=40)
    ),
    events=EventSettings(format="jsonl", sinks=("jsonl:a b.jsonl", 'csv:"quoted".csv')),
    mqtt=MqttSettings(url="mqtts://me@broker/desk", password_file=Path("secret"), ca=Path("ca.pem")),
    web=WebSettings(serve="0.0.0.0:8080", token_file=Path("token"), allow_hosts=("pi.local", "desk")),
    snapshots=SnapshotSettings(folder=Path("pictures"), keep=7, keep_mb=8),
    limits=LimitSettings(frames=9, seconds=10.5),
)


def written(folder: Path, text: str) -> Path:
    file = folder / "edge.toml"
    file.write_text(text)
    return file


def refusal(folder: Path, text: str, *flags: Flag) -> list[str]:
    """The lines of what is said against a file."""
    with pytest.raises(UsageError) as caught:
        read_settings(written(folder, text), flags)
    return str(caught.value).replace(f"{folder}/", "").splitlines()


@pytest.mark.parametrize("settings", [RunSettings(), ALL], ids=["nothing said", "everything said"])
def test_what_is_printed_reads_back(tmp_path: Path, settings: RunSettings) -> None:
    file = written(tmp_path, settings_toml(settings))
    assert read_settings(file) == replace(settings, file=file)


@given(text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip))
def test_any_text_reads_back(text: str) -> None:
    printed = settings_toml(RunSettings(mqtt=MqttSettings(url=text), events=EventSettings(sinks=(text, text))))
    said = tomllib.loads(printed)
    assert said["mqtt"]["url"] == text and said["events"]["sinks"] == [text, text]


def test_every_setting_can_be_written_in_the_file_and_every_flag_has_its_key() -> None:
    tables = [one.name for one in fields(RunSettings) if is_dataclass(getattr(ALL, one.name))]
    keys = {(table, one.name) for table in tables for one in fields(getattr(ALL, table))}
    keys |= {("camera", "source"), ("camera", "wait")}
    assert set(ABOUT) == keys == set(command.KEYS.values())
    # Of one command line, not of a camera that is left running; context and the talk are no settings.
    others = {"context", "config", "print_settings", "check", "picture", "quiet", "verbose"}
    assert set(inspect.signature(command.run).parameters) == set(command.KEYS) | others


def test_a_key_that_is_only_a_comment_has_an_example_that_may_be_written(tmp_path: Path) -> None:
    uncommented = settings_toml(RunSettings()).replace("\n# ", "\n")
    settings = read_settings(written(tmp_path, uncommented))
    assert settings.reading.threshold == 0.9 and settings.camera.size == (1280, 720)


def test_secrets_in_addresses_are_not_printed() -> None:
    sinks = ("https://hook/?token=hunter2", "jsonl:/var/keys/a.jsonl:rotate=1MB")
    source = "rtsp://me:hunter2@camera/live?token=hunter2"
    printed = settings_toml(RunSettings(source=source, events=EventSettings(sinks=sinks)))
    assert "hunter2" not in printed and "camera/live" in printed and "rotate=1MB" in printed


def test_a_flag_goes_before_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, "[camera]\nsource = '0'\nfps = 10\n[reading]\nthreshold = 0.5\n")
    flags = [
        Flag(name="--fps", place=("camera", "fps"), value=20.0),
        Flag(name="--serve", place=("web", "serve"), value="1"),
    ]
    settings = read_settings(file, flags)
    assert (settings.source, settings.camera.fps, settings.reading.threshold) == ("0", 20.0, 0.5)
    assert settings.web.serve == "1"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[camera]\nrotate = 90", "edge.toml:2: camera.rotate: unknown key; did you mean rotation?"),
        ("\n[mqqt]\nurl = 'x'", "edge.toml:2: mqqt: unknown key; did you mean mqtt?"),
        ("[camera]\nfps = 0.01", "edge.toml:2: camera.fps: camera fps 0.01: give 0.1 to 1000 frames a second"),
        ("[camera]\nrotation = true", "edge.toml:2: camera.rotation: must be one of 0, 90, 180, 270, not True"),
        ("[reading]\nthreshold = 1.5", "edge.toml:2: reading.threshold: must be 0 to 1, not 1.5"),
        ("[reading]\nthreshold = nan", "edge.toml:2: reading.threshold: must be 0 to 1, not nan"),
        ("[reading]\nmode = 'sheet'", "edge.toml:2: reading.mode: must be one of page, number, digit, not 'sheet'"),
        ("[events]\nsinks = 'jsonl:a'", "edge.toml:2: events.sinks: must be a list of texts, not 'jsonl:a'"),
        ("[limits]\nframes = 0", "edge.toml:2: limits.frames: must be a whole number from 1 to 999999999, not 0"),
        ("camera = 3", "edge.toml:1: camera: must be a table, [camera], not 3"),
        ("[web]\nserve = 8080", 'edge.toml:2: web.serve: must be a text, not 8080; write "8080"'),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    assert refusal(tmp_path, text) == [said]


def test_an_upside_down_region_is_a_mistake_of_its_line(tmp_path: Path) -> None:
    (line,) = refusal(tmp_path, "[reading]\nroi = [9, 9, 2, 2]")
    assert line.startswith("edge.toml:2: reading.roi: ")


def test_mistakes_do_not_hide_each_other_and_a_flag_is_told_by_its_name(tmp_path: Path) -> None:
    flag = Flag(name="--frames", place=("limits", "frames"), value=-1)
    told = refusal(tmp_path, "[camera]\nfps = 'a'\nfocus = 2\n[limits]\nframes = 5\n", flag)
    assert [line.split(": ")[0] for line in told] == ["--frames", "edge.toml:2", "edge.toml:3"]


def test_what_is_no_toml_is_told_with_its_line(tmp_path: Path) -> None:
    (line,) = refusal(tmp_path, "[camera]\nfps = \n")
    assert line.startswith("edge.toml: not TOML: ") and "line 2" in line


def test_changes_names_the_keys_that_differ() -> None:
    other = replace(ALL, source="0", reading=replace(ALL.reading, threshold=0.81))
    assert changes(ALL, other) == ("camera.source", "reading.threshold")
    assert changes(ALL, ALL) == ()
