"""What the service manager is told: readiness, one line of state, the end."""

from systemd.daemon import notify


def ready() -> None:
    """Say that the control socket answers, and that nothing goes on yet."""
    notify("READY=1\nSTATUS=idle")


def state(line: str) -> None:
    """Say in one line what is going on; ``systemctl --user status`` shows it."""
    # Each line is a field of its own, and the provider has a say in this one.
    notify(f"STATUS={' '.join(line.split())}")


def stopping() -> None:
    """Say that the end has begun."""
    notify("STOPPING=1")
