"""``python -m voicectl``, the same as the command ``voicectl``."""

from voicectl.fast import main

if __name__ == "__main__":
    main()
