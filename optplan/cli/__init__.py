"""The command line."""

from __future__ import annotations


def main() -> None:
    """Run the command that the arguments name, and exit with its status."""
    from optplan.cli.app import app

    app(prog_name="optplan")
