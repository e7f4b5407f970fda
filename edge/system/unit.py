"""The systemd unit of `edge run`: what it may touch, when it is started again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

NAME = "inkedge.service"
USER = "inkedge"
WATCHDOG_S = 60
_SYSTEM_STATE = Path("/var/lib/inkedge")

# A camera, loopback and the network, its own folder; nothing else. `systemd-analyze security` names each.
_HARDENING = """\
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome={home}
PrivateTmp=yes
ProtectProc=invisible
ProcSubset=all
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RemoveIPC=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
UMask=0027
# Cameras: USB (video4linux), ribbon (media controller, its memory and the board's mailbox).
DevicePolicy=closed
DeviceAllow=char-video4linux rw
DeviceAllow=char-media rw
DeviceAllow=char-dma_heap rw
DeviceAllow=/dev/vcio rw
"""

# What a manager without rights over the system can still do.
_USER_HARDENING = """\
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
UMask=0027
"""

_UNIT = """\
# Written by `edge service install`; your own changes belong into `systemctl {flag}edit {name}`.
[Unit]
Description=inkedge reads handwritten digits from a camera
Wants=network-online.target
After=network-online.target
# For months: however often it fell, it is started again.
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart={program} run --config {settings} --wait
ExecReload=/bin/kill -HUP $MAINPID
# No frame for so long, and it is started afresh.
WatchdogSec={watchdog}
Restart=always
RestartSec=5
# A malformed setting does not mend itself.
RestartPreventExitStatus=2
TimeoutStopSec=10
Environment=PYTHONUNBUFFERED=1
{place}
{hardening}
[Install]
WantedBy={wanted}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """What a unit is made of. program: the `edge` to start; settings: its file; user: for a user's own manager."""

    program: Path
    settings: Path
    user: bool = False

    def __str__(self) -> str:
        """The unit file's text."""
        if self.user:
            place = "StateDirectory=inkedge\nWorkingDirectory=%S/inkedge"
            hardening, wanted = _USER_HARDENING, "default.target"
        else:
            place = (
                f"User={USER}\nGroup={USER}\nSupplementaryGroups=video\n"
                f"StateDirectory=inkedge\nStateDirectoryMode=0750\nWorkingDirectory={_SYSTEM_STATE}"
            )
            # An environment in somebody's home stays readable, its neighbours stay unwritable.
            at_home = self.program.is_relative_to("/home") or self.program.is_relative_to("/root")
            hardening, wanted = _HARDENING.format(home="read-only" if at_home else "yes"), "multi-user.target"
        return _UNIT.format(
            flag="--user " if self.user else "",
            name=NAME,
            program=_quoted(self.program),
            settings=_quoted(self.settings).replace("$", "$$"),
            watchdog=WATCHDOG_S,
            place=place,
            hardening=hardening,
            wanted=wanted,
        )


def _quoted(path: Path) -> str:
    """A path as a word of ExecStart=, where %, quotes and backslashes mean something (systemd.service(5))."""
    text = str(path).replace("%", "%%").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"' if any(letter in text for letter in " '\\\"") else text
