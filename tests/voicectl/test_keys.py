"""Keys in the words of every desktop."""

import pytest

from voicectl.keys import KEYS, SPELLINGS, KeyRefusedError, read, spell


@pytest.mark.parametrize(
    ("key", "desktop", "written"),
    [
        ("F13", "i3", "191"),
        ("F24", "sway", "202"),
        ("F13", "hyprland", ", code:191"),
        ("F13", "hyprland-lua", "code:191"),
        ("F14", "sxhkd", "{XF86Launch5,F14}"),
        ("F14", "gnome", "XF86Launch5"),
        ("F13", "xremap", "F13"),
        ("f12", "i3", "F12"),
        ("scrolllock", "sway", "Scroll_Lock"),
        ("Shift+Pause", "gnome", "<Shift>Pause"),
        ("Insert", "kde", "Ins"),
        ("Menu", "xremap", "COMPOSE"),
        ("Super+V", "i3", "Mod4+v"),
        ("shift+super+v", "sway", "Mod4+Shift+v"),
        ("Ctrl+Alt+Space", "hyprland", "CTRL ALT, space"),
        ("Super+Shift+V", "hyprland-lua", "SUPER + SHIFT + v"),
        ("Super+V", "sxhkd", "super + v"),
        ("Super+V", "gnome", "<Super>v"),
        ("Super+V", "kde", "Meta+V"),
        ("code:156", "sway", "156"),
        ("Super+code:156", "hyprland", "SUPER, code:156"),
    ],
)
def test_a_key_is_written_as_the_desktop_writes_it(key: str, desktop: str, written: str) -> None:
    assert spell(desktop, read(key)) == written


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("F25", "no key 'F25'; there is: F1 to F24"),
        ("", "no key ''"),
        ("code:8", "no key 'code:8'"),
        ("code:256", "no key 'code:256'"),
        ("156", "no key '156'"),
        ("Hyper+V", "no modifier 'Hyper'; there is: Super, Ctrl, Alt, Shift"),
        ("v", "V is needed to type; take Super+V, or F13"),
        ("Shift+2", "Shift+2 is needed to type; take Super+2"),
    ],
)
def test_what_is_no_key_is_refused_with_those_that_are(key: str, why: str) -> None:
    with pytest.raises(KeyRefusedError) as refused:
        read(key)

    assert str(refused.value).startswith(why)


@pytest.mark.parametrize(
    ("key", "desktop"),
    [
        ("F13", "gnome"),
        ("F13", "kde"),
        ("F19", "sxhkd"),
        ("F20", "gnome"),
        ("code:156", "xremap"),
        ("code:156", "sxhkd"),
        ("Super+V", "xremap"),
    ],
)
def test_a_key_that_a_desktop_cannot_bind_is_refused(key: str, desktop: str) -> None:
    with pytest.raises(KeyRefusedError, match="take"):
        spell(desktop, read(key))


def test_every_key_can_be_bound_in_the_window_managers() -> None:
    for name in KEYS:
        for desktop in ("i3", "sway", "hyprland", "hyprland-lua"):
            assert spell(desktop, read(f"Super+{name}"))


def test_every_desktop_writes_every_modifier() -> None:
    assert {len(written) for written in SPELLINGS.values()} == {4}


def test_a_key_reads_back_as_it_is_told() -> None:
    assert str(read("shift+SUPER+pause")) == "Super+Shift+Pause"
