"""``python -m symbench.cli``: the ``symbench`` command where scripts are not on the path."""

from symbench.cli import main

if __name__ == "__main__":
    main()
