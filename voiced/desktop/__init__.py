"""The desktop around us: screen lock, suspend, other players.  All of it over D-Bus."""
