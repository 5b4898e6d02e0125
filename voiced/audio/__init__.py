"""The sound card: capture and playback through PortAudio."""
