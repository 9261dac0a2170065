"""``python -m optplan``."""

from optplan.cli import main

if __name__ == "__main__":
    main()
