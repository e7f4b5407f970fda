"""What Home Assistant is told so that the device appears there by itself (its MQTT discovery, retained)."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from edge import __version__

STATUS = "homeassistant/status"
BORN = b"online"


def node_of(topic: str) -> str:
    """A name for the device at a topic, the same in every run: ASCII letters, digits and _, no two topics alike."""
    readable = re.sub(r"[^A-Za-z0-9]+", "_", topic).strip("_")[:40]
    return f"inkedge_{readable}_{hashlib.sha256(topic.encode()).hexdigest()[:8]}"


def discovery(topic: str) -> dict[str, str]:
    """Topics and JSON payloads: a sensor of the last number with its confidence, and whether the camera is there."""
    node = node_of(topic)
    about: dict[str, Any] = {
        "device": {
            "identifiers": [node],
            "name": f"inkedge {topic}",
            "manufacturer": "inkedge",
            "model": "handwritten-number reader",
            "sw_version": __version__,
        },
        "origin": {"name": "inkedge", "sw_version": __version__},
    }
    number = {
        "name": "Last number",
        "unique_id": f"{node}_number",
        "state_topic": f"{topic}/state",
        "value_template": "{{ value_json.text }}",
        "json_attributes_topic": f"{topic}/state",
        "json_attributes_template": "{{ {'confidence': value_json.confidence, 'status': value_json.status, "
        "'time': value_json.time} | tojson }}",
        "availability_topic": f"{topic}/availability",
        "icon": "mdi:numeric",
    }
    # Without an availability topic of its own: it is what says that the rest is away.
    connected = {
        "name": "Connected",
        "unique_id": f"{node}_connected",
        "state_topic": f"{topic}/availability",
        "payload_on": "online",
        "payload_off": "offline",
        "device_class": "connectivity",
        "entity_category": "diagnostic",
    }
    return {
        f"homeassistant/sensor/{node}/number/config": json.dumps({**number, **about}),
        f"homeassistant/binary_sensor/{node}/connected/config": json.dumps({**connected, **about}),
    }
