"""What the service manager is told: readiness, one line of state, the end."""

from systemd.daemon import notify


def ready() -> None:
    """Say that the control socket answers."""
    notify("READY=1")


def state(line: str) -> None:
    """Say in one line what is going on; ``systemctl --user status`` shows it."""
    notify(f"STATUS={line}")


def stopping() -> None:
    """Say that the end has begun."""
    notify("STOPPING=1")
