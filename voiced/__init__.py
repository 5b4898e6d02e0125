"""A daemon that holds a spoken conversation you can interrupt."""

__version__ = "0.1.0"
