"""``python -m optplan``."""

import os
import sys

if __name__ == "__main__":
    # Python puts the current folder first on the path for ``-m``, and it may be a stranger's
    _HOME = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
    if not sys.flags.safe_path and os.path.realpath(sys.path[0]) != os.path.realpath(_HOME):
        del sys.path[0]

    from optplan.cli import main

    main()
