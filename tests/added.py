"""A copy of the package to which something is added, as CONTRIBUTING.md says."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import optplan

_MAIN = "import sys; sys.path.insert(0, {!r}); from optplan.cli import main; main()"


class CopiedPackage:
    """A copy of the package.

    Args:
        folder: The folder to put it in, where its commands are run as well.

    Attributes:
        touched: The files that were added or changed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.touched: list[str] = []
        # with __pycache__, which spares compiling it
        shutil.copytree(Path(optplan.__file__).parent, folder / "optplan")

    def add(self, name: str, text: str) -> None:
        """Add a file."""
        path = self.folder / "optplan" / name
        assert not path.exists()
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
        self.touched.append(name)

    def change(self, name: str, before: str, after: str) -> None:
        """Put a text in the place of another, which stands in the file once."""
        path = self.folder / "optplan" / name
        text = path.read_text("utf-8")
        assert text.count(before) == 1, (name, before)
        path.write_text(text.replace(before, after), "utf-8")
        self.touched.append(name)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command line of the copy."""
        return subprocess.run(
            [sys.executable, "-c", _MAIN.format(str(self.folder)), *words],
            cwd=self.folder,
            env={**os.environ, "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
