"""``python -m d2lconv``."""

from d2lconv.cli import main

if __name__ == "__main__":
    main()
