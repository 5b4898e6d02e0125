"""Screen savers, on the user's bus: they cover the screen, and most of them lock it.

Desktops that tell logind of their lock tell it here as well; some tell it here only.
"""

from typing import Final

from voiced.desktop.bus import DRIVER, Bus, Peer, Signal
from voiced.desktop.presence import Presence
from voiced.errors import BusError

SAVERS: Final = {
    "org.freedesktop.ScreenSaver": ("/org/freedesktop/ScreenSaver", "/ScreenSaver", "/"),
    "org.gnome.ScreenSaver": ("/org/gnome/ScreenSaver",),
    "org.cinnamon.ScreenSaver": ("/org/cinnamon/ScreenSaver",),
    "org.mate.ScreenSaver": ("/org/mate/ScreenSaver", "/"),
    "org.xfce.ScreenSaver": ("/org/xfce/ScreenSaver", "/"),
}
"""Name, which is its interface as well -> where it may be found."""


class Savers:
    """Listens to the screen savers.

    Args:
        presence: Takes what is heard.
    """

    def __init__(self, presence: Presence) -> None:
        self._presence = presence

    async def begin(self, bus: Bus) -> None:
        """Have signals delivered, and ask how things are.

        Raises:
            BusError: The bus does not answer.
        """
        for name in SAVERS:
            await bus.listen(interface=name, member="ActiveChanged")
            await bus.listen(sender=DRIVER, member="NameOwnerChanged", arg0=name)
        names = await bus.names()
        self._presence.covered.clear()
        for name in SAVERS.keys() & set(names):
            if await _is_active(bus, name):
                self._presence.saver_says(name, is_active=True)
        self._presence.knows_savers = True

    def take(self, signal: Signal) -> None:
        """Take a signal, which need not be about a screen saver."""
        saver = signal.interface
        match signal.member, signal.body:
            case "ActiveChanged", [bool(is_active)] if saver in SAVERS:
                self._presence.saver_says(saver, is_active=is_active)
            case "NameOwnerChanged", [str(name), _, ""] if saver == DRIVER:
                self._presence.saver_ended(name)
            case _:
                return

    def lost(self) -> None:
        """Note that nothing is heard any more."""
        self._presence.knows_savers = False


async def _is_active(bus: Bus, name: str) -> bool:
    for path in SAVERS[name]:
        try:
            (is_active,) = await bus.call(Peer(name, path, name), "GetActive", "b")
        except BusError:
            continue  # not every one of them can be asked, nor is it at every place
        return bool(is_active)
    return False
