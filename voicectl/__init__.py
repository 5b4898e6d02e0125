"""The remote control of voiced."""
