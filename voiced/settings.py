"""Every option of voiced, with its default, its limits and one line of why.

This page is the source: ``config/voiced.toml`` is printed from it and the reader of the
TOML file checks against it.  To add an option, add a field here.
"""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, cast

from voiced.errors import ConfigError
from voiced.option import Option, Rule, Scalar, option, to_toml

MIN_DEVICE_RATE_HZ: Final = 8000
WEB: Final = ("http://", "https://")


@dataclass(frozen=True, slots=True)
class Provider:
    """Who answers."""

    kind: str = option(
        "openai",
        'Who answers: "local" is the built-in server and needs no key and no network.',
        choices=("openai", "azure", "compatible", "local"),
    )
    url: str = option(
        "",
        'Base URL. Empty means the provider\'s own; "azure" and "compatible" need one.',
    )
    model: str = option("gpt-realtime-2.1", "Model, or the deployment's name with azure.")
    voice: str = option("marin", "Voice of the assistant; empty leaves it to the server.")
    instructions: str = option(
        "You are a friendly voice assistant. Keep answers short and speak naturally.",
        "What the assistant is told before the conversation.",
    )
    transcription: str = option(
        "gpt-transcribe", "Model that writes down what you say; empty turns it off."
    )
    language: str = option("", 'Language you speak, such as "en"; empty lets the model find out.')
    noise_reduction: str = option(
        "",
        "The provider's noise filter for your microphone.",
        choices=("", "near_field", "far_field"),
    )


@dataclass(frozen=True, slots=True)
class Audio:
    """Microphone and loudspeaker."""

    input: str = option("default", 'Microphone: "default" or a part of its name.', is_name=True)
    output: str = option("default", 'Loudspeaker: "default" or a part of its name.', is_name=True)
    device_rate_hz: int = option(
        0,
        "Sample rate asked of the device; 0 asks for 24000 and takes the device's own otherwise.",
        minimum=0,
        maximum=192_000,
    )
    input_buffer_ms: int = option(
        20,
        "Length of a microphone buffer; shorter is quicker and costs more.",
        minimum=10,
        maximum=40,
    )
    output_buffer_ms: int = option(
        10,
        "Length of a loudspeaker buffer; shorter is quicker and costs more.",
        minimum=10,
        maximum=40,
    )
    prebuffer_ms: int = option(
        60,
        "Sound collected before a reply starts, against gaps on slow networks.",
        minimum=0,
        maximum=2000,
    )
    echo_cancellation: bool = option(
        True, "Take the assistant's own voice out of the microphone; not done with a headset."
    )
    half_duplex: str = option(
        "auto",
        'Do not listen while the assistant speaks: "auto" does so where its voice would come'
        " back, that is with neither echo cancellation nor a headset.",
        choices=("auto", "always", "never"),
    )


@dataclass(frozen=True, slots=True)
class Turns:
    """When your turn is over."""

    detection: str = option(
        "server_vad",
        'Who decides: "server_vad" by silence, "semantic_vad" by sense, "manual" by voicectl ptt.',
        choices=("server_vad", "semantic_vad", "manual"),
    )
    threshold: float = option(
        0.5, "server_vad: how sure it must be that you speak.", minimum=0.0, maximum=1.0
    )
    prefix_padding_ms: int = option(
        300, "server_vad: sound kept from before you were heard.", minimum=0, maximum=5000
    )
    silence_duration_ms: int = option(
        500, "server_vad: silence that ends your turn.", minimum=100, maximum=10_000
    )
    hold_max_s: float = option(
        120.0, "End a turn that is held with voicectl ptt after so long.", minimum=1.0
    )
    hold_preroll_ms: int = option(
        300,
        "What was said so shortly before voicectl ptt press still belongs to the turn.",
        minimum=0,
        maximum=2000,
    )
    eagerness: str = option(
        "auto",
        "semantic_vad: how soon it answers.",
        choices=("auto", "low", "medium", "high"),
    )


@dataclass(frozen=True, slots=True)
class Interruption:
    """How you interrupt."""

    local: bool = option(True, "Notice on this machine that you speak, before the server does.")
    duck_db: float = option(
        14.0,
        "The assistant is so much quieter while it is not certain that you speak.",
        minimum=0.0,
        maximum=60.0,
    )
    speech_probability: float = option(
        0.4, "How sure the detector must be that it is you.", minimum=0.05, maximum=0.99
    )
    min_speech_ms: int = option(
        30,
        "Speech that is shorter does not interrupt; 250 spares most coughs, and takes 0.2 s more.",
        minimum=0,
        maximum=2000,
    )
    confirm_within_ms: int = option(
        800,
        "What is not certain after so long was no speech: the assistant is as loud as before.",
        minimum=100,
        maximum=5000,
    )
    hold_ms: int = option(
        1000,
        "Where this machine took a sound for no speech and the server does not, the assistant"
        " waits for so long before it goes on; 0 believes the server.",
        minimum=0,
        maximum=5000,
    )


@dataclass(frozen=True, slots=True)
class Session:
    """When a conversation begins and ends."""

    autostart: bool = option(False, "Start a conversation as soon as the daemon runs.")
    idle_hangup_s: float = option(
        300.0, "Hang up after so long without speech; 0 never does.", minimum=0.0
    )
    max_age_s: float = option(
        3300.0,
        "Replace the connection after so long, in a quiet moment; 0 goes by the provider's limit.",
        minimum=0.0,
    )


@dataclass(frozen=True, slots=True)
class Desktop:
    """What the desktop around it means to a conversation."""

    on_lock: str = option(
        "pause",
        'Screen locked: "pause" hangs up and begins again afterwards, "stop" only hangs up.',
        choices=("pause", "stop", "ignore"),
    )
    on_suspend: str = option(
        "pause",
        "The machine goes to sleep: the same choice.",
        choices=("pause", "stop", "ignore"),
    )
    pause_players: bool = option(
        False, "Pause music and films (MPRIS) during a conversation, and let them go on after it."
    )


@dataclass(frozen=True, slots=True)
class Limits:
    """What it may cost."""

    usd_per_day: float = option(
        0.0, "End the conversation when so much was spent today; 0 means no cap.", minimum=0.0
    )


@dataclass(frozen=True, slots=True)
class Local:
    """The built-in server, used with provider.kind = "local"."""

    brain: str = option(
        "parrot", '"parrot", or the base URL of a server with /v1/chat/completions.'
    )
    brain_model: str = option("", "Model asked of that server; empty leaves it to the server.")


@dataclass(frozen=True, slots=True)
class Log:
    """What the daemon writes down."""

    level: str = option(
        "info",
        "Least important message that is written; never what was said.",
        choices=("debug", "info", "warning", "error"),
    )


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said, in writing."""

    file: str = option(
        "",
        'File that every line is added to, such as "~/.local/state/voiced/talks.txt", where the'
        " service may write; empty keeps the last ones in memory only.",
    )


@dataclass(frozen=True, slots=True)
class Recorder:
    """The flight recorder: sound kept in memory, written down only when you ask for it."""

    seconds: int = option(
        0,
        "So much of the sound is kept, for voicectl timeline and voicectl recorder; 0 keeps none.",
        minimum=0,
        maximum=60,
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """All options, one table of the TOML file each."""

    provider: Provider = Provider()
    audio: Audio = Audio()
    turns: Turns = Turns()
    interruption: Interruption = Interruption()
    session: Session = Session()
    desktop: Desktop = Desktop()
    limits: Limits = Limits()
    transcript: Transcript = Transcript()
    recorder: Recorder = Recorder()
    local: Local = Local()
    log: Log = Log()


TABLES: Final[dict[str, type]] = {
    table.name: table.type for table in dataclasses.fields(Settings) if isinstance(table.type, type)
}
"""Table name -> its dataclass."""


def options() -> Iterator[Option]:
    """Yield every option in the order of the page."""
    for table, kind in TABLES.items():
        for each in dataclasses.fields(kind):
            default = cast(Scalar, each.default)
            yield Option(table, each.name, type(default), default, each.metadata["rule"])


def check_together(settings: Settings) -> None:
    """Check what depends on more than one option.

    Raises:
        ConfigError: Two options do not fit.
    """
    provider = settings.provider
    if provider.kind in ("azure", "compatible") and not provider.url:
        raise ConfigError(
            f'[provider] url is missing: kind = "{provider.kind}" needs the base URL of the server',
            option=("provider", "kind"),
        )
    if settings.local.brain != "parrot" and not settings.local.brain.startswith(WEB):
        raise ConfigError(
            f'[local] brain = {to_toml(settings.local.brain)} is neither "parrot" nor the URL of'
            ' a chat server: write it like "http://127.0.0.1:8080/v1"',
            option=("local", "brain"),
        )
    file = settings.transcript.file
    if file and not file.startswith(("/", "~/")):
        raise ConfigError(
            f'[transcript] file = {to_toml(file)} is no absolute path: begin it with "/" or "~/"',
            option=("transcript", "file"),
        )
    rate_hz = settings.audio.device_rate_hz
    if 0 < rate_hz < MIN_DEVICE_RATE_HZ:
        raise ConfigError(
            f"[audio] device_rate_hz = {rate_hz} is neither 0 nor {MIN_DEVICE_RATE_HZ} or more",
            option=("audio", "device_rate_hz"),
        )


def default_toml(*, is_commented: bool = False) -> str:
    """Write the configuration file with every option at its default.

    Args:
        is_commented: No option is set, so that each stays at the default of any later version.
    """
    lines = ["# Configuration of voiced. Every option is here with its default; delete what you"]
    lines += ["# do not change. The file belongs at ~/.config/voiced/config.toml."]
    if is_commented:
        lines = ["# Configuration of voiced. Every option is here with its default; take away the"]
        lines += ['# "#" from what you change.']
    mark = "#" if is_commented else ""
    table = ""
    for each in options():
        if each.table != table:
            table = each.table
            lines += ["", f"# {TABLES[table].__doc__}", f"[{table}]"]
        lines += [f"# {each.rule.why}{_limits(each.rule)}"]
        lines += [f"{mark}{each.key} = {to_toml(each.default)}"]
    return "\n".join(lines) + "\n"


def _limits(rule: Rule) -> str:
    if rule.choices:
        return f" One of: {', '.join(to_toml(choice) for choice in rule.choices)}."
    if rule.minimum is not None and rule.maximum is not None:
        return f" {to_toml(rule.minimum)} to {to_toml(rule.maximum)}."
    return ""
