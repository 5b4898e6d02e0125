"""The service manager and what it gives us."""
