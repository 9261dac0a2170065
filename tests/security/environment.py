"""A throw-away environment whose interpreter is watched, and which has a distribution of dangerous classes."""

from __future__ import annotations

import json
import os
import shutil
import site
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import optplan
from tests.security.watcher import PIPE, SETUP

HERE = Path(__file__).parent
DISTRIBUTION = "dangerous_nets"
SECOND = "second_nets"  # of the same distribution; modules of that name lie elsewhere, too
LOOSE = "loose_nets"  # lies in the site folder, and belongs to no distribution
# as pip writes it
_COMMAND = """\
import sys
from optplan.cli import main
if __name__ == "__main__":
    sys.exit(main())
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Such an environment.

    Args:
        base: Its folder, in which the cases run, too.
        python: Its interpreter.
        command: ``optplan`` as it is installed there.
    """

    base: Path
    python: Path
    command: Path

    @property
    def pipe(self) -> Path:
        """Where its processes report."""
        return self.base / "env" / PIPE


def make_environment(base: Path) -> Environment:
    """Make the environment in a new folder.

    It sees what the running interpreter sees, and the dangerous distribution beside that.
    """
    home = base / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(home), "platbase": str(home)}))
    watched = base / "runs"
    watched.mkdir()
    seen = [
        *site.getsitepackages(),
        *([site.getusersitepackages()] if site.ENABLE_USER_SITE else []),
    ]
    library = sysconfig.get_path("stdlib")
    optplan_home = str(Path(optplan.__file__).resolve().parent)
    roots = (library, *seen, str(packages), optplan_home)
    setup = {
        "prefixes": site.PREFIXES,
        "packages": seen,
        "roots": [os.path.realpath(root) for root in roots],
        "library": library,
        "watched": str(watched),
    }
    (home / SETUP).write_text(json.dumps(setup))
    shutil.copy(HERE / "watcher.py", packages / "sitecustomize.py")
    (packages / "optplan_of_tests.pth").write_text(f"{Path(optplan_home).parent}\n")
    _install(packages)
    (packages / f"{LOOSE}.py").write_text((HERE / DISTRIBUTION / "nets.py").read_text())
    python = home / "bin" / "python"
    command = home / "bin" / "optplan"
    command.write_text(f"#!{python}\n{_COMMAND}")
    command.chmod(0o755)
    return Environment(base=base, python=python, command=command)


def _install(packages: Path) -> None:
    """Install the distribution as pip does."""
    shutil.copytree(
        HERE / DISTRIBUTION, packages / DISTRIBUTION, ignore=shutil.ignore_patterns("__pycache__")
    )
    (packages / SECOND).mkdir()
    (packages / SECOND / "__init__.py").write_text("from dangerous_nets.nets import Fine\n")
    (packages / SECOND / "inner.py").write_text("")
    info = packages / f"{DISTRIBUTION}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {DISTRIBUTION.replace('_', '-')}\nVersion: 1.0\n"
    )
    (info / "top_level.txt").write_text(f"{DISTRIBUTION}\n{SECOND}\n")
    (info / "INSTALLER").write_text("pip\n")
    files = [
        p
        for p in packages.rglob("*")
        if p.parts[len(packages.parts)].startswith((DISTRIBUTION, SECOND))
    ]
    record = [f"{p.relative_to(packages)},," for p in files if p.is_file()]
    (info / "RECORD").write_text("\n".join([*record, f"{info.name}/RECORD,,"]) + "\n")
