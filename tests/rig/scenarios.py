"""What happens in a room, as data."""

from dataclasses import dataclass, field, replace
from typing import Final

from tests.rig.acoustics import EchoPath, gain_for
from tests.rig.voices import USER_DBFS, assistant


@dataclass(frozen=True, slots=True)
class Scenario:
    """A room, and who makes what sound in it while the assistant speaks.

    Attributes:
        ratio_db: Active level of the user's speech over that of the assistant's echo, both
            at the microphone; of a user who is silent, what it would be.
        path: The way from the loudspeaker to the microphone; its gain follows from the ratio.
        sound: ``speech``, ``silence``, or a noise by name.
        dbfs: Active level of that sound at the microphone.
        later: A way that takes the place of the first while the assistant speaks.
    """

    ratio_db: float = 0.0
    path: EchoPath = field(default_factory=EchoPath)
    sound: str = "speech"
    dbfs: float = USER_DBFS
    later: EchoPath | None = None

    def set_up(self) -> EchoPath:
        """Return the path with the gain that gives the ratio."""
        return self._with_gain(self.path)

    def set_up_later(self) -> EchoPath | None:
        """Return the second path, likewise."""
        return None if self.later is None else self._with_gain(self.later)

    def _with_gain(self, path: EchoPath) -> EchoPath:
        gain_db = gain_for(path, assistant(10.0), user_dbfs=USER_DBFS, ratio_db=self.ratio_db)
        return replace(path, gain_db=gain_db)


ROOM: Final = EchoPath()
SCENARIOS: Final[dict[str, Scenario]] = {
    **{f"at{ratio:+d}dB": Scenario(float(ratio)) for ratio in (-10, -5, 0, 5, 10)},
    **{f"silent{ratio:+d}dB": Scenario(float(ratio), sound="silence") for ratio in (-5, 0)},
    **{
        f"delay{delay}ms": Scenario(path=EchoPath(delay_ms=float(delay)))
        for delay in (30, 150, 300)
    },
    "dry": Scenario(path=EchoPath(t60_s=0.2, direct_db=6.0, seed=2)),
    "hall": Scenario(path=EchoPath(t60_s=0.45, direct_db=-3.0, seed=3)),
    "clipped": Scenario(path=EchoPath(drive=4.0)),
    "drift": Scenario(path=EchoPath(drift_ppm=100.0)),
    "change": Scenario(path=ROOM, later=EchoPath(delay_ms=110.0, t60_s=0.2, seed=5)),
    **{name: Scenario(sound=name) for name in ("cough", "door", "mm-hm", "keyboard", "music")},
}
"""By name; the rig's own loop takes 25 ms, so no delay is shorter."""
