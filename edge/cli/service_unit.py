"""`edge service install`, `uninstall`, `status`, `logs`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from edge.system.service import Service

User = Annotated[bool, typer.Option("--user", help="A service of your own instead of the system's.")]
Root = Annotated[Path, typer.Option(metavar="DIR", help="Take this folder for /, and tell no service manager.")]


def install(
    user: User = False,
    root: Root = Path("/"),
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the unit and write nothing.")] = False,
) -> None:
    """Write the unit and, where there are none, the settings; enable and start it.

    Example: sudo /opt/inkedge/bin/edge service install
    """
    from edge.system.service import install as put

    service = _service(user, root)
    if dry_run:
        typer.echo(str(service.unit), nl=False)
        return
    for line in put(service):
        typer.echo(line, err=True)


def uninstall(
    user: User = False,
    root: Root = Path("/"),
    purge: Annotated[bool, typer.Option("--purge", help="The settings too.")] = False,
) -> None:
    """Stop and disable the service and take its files away; the settings stay, and so does what it stored.

    Example: sudo /opt/inkedge/bin/edge service uninstall
    """
    from edge.system.service import uninstall as take_away

    for line in take_away(_service(user, root), purge=purge):
        typer.echo(line, err=True)


def status(user: User = False) -> None:
    """How the service is, as systemctl tells it.

    Example: edge service status
    """
    from edge.system.service import ask
    from edge.system.unit import NAME

    raise typer.Exit(ask(_service(user, Path("/")), "systemctl", "status", "--no-pager", NAME))


def logs(
    user: User = False,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as more is said.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="So many of the last lines.")] = 100,
) -> None:
    """What the service said, as journalctl tells it.

    Example: edge service logs --follow
    """
    from edge.system.service import ask
    from edge.system.unit import NAME

    more = ["--follow"] if follow else ["--no-pager"]
    raise typer.Exit(ask(_service(user, Path("/")), "journalctl", "--unit", NAME, "--lines", str(lines), *more))


def _service(user: bool, root: Path) -> Service:
    from edge.system.service import Service

    return Service(root=root.absolute(), user=user)
