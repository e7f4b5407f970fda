"""`python -m convert` is `edge-convert`."""

from convert.cli import main

if __name__ == "__main__":
    main()
