"""Lets `python -m shapelint` do what `shapelint` does."""

from shapelint.cli import main

if __name__ == "__main__":
    main()
