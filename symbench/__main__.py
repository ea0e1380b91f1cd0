"""``python -m symbench``: the command, of the Python that is named."""

from symbench.cli import main

if __name__ == "__main__":
    main()
