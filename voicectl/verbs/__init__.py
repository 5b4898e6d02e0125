"""The verbs of voicectl, one module for each group; ``tree`` says how they are made."""
