"""What ``voicectl doctor`` looks at, one module for each part; ``examine`` runs them all.

Each check returns findings and breaks no other: what it needs and cannot have, it skips,
with the reason.  Ids are stable: scripts go by them.
"""
