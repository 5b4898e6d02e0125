"""``./dev man``: writes the manual pages below config/man again."""

from pathlib import Path

from tests.manual.pages import pages

DIRECTORY = Path(__file__).resolve().parents[2] / "config" / "man"


def main() -> None:
    """Write every page."""
    DIRECTORY.mkdir(exist_ok=True)
    for name, page in pages().items():
        (DIRECTORY / name).write_text(page)


if __name__ == "__main__":
    main()
