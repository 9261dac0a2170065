"""The command line."""

from __future__ import annotations

from optplan.interrupts import EndingAtInterrupt, install


def main() -> None:
    """Run the command that the arguments name, and exit with its status."""
    with EndingAtInterrupt():
        import atexit
        import gc
        import sys

        # a process that ends looks all that it has loaded over for garbage: with torch, for most of a second
        atexit.register(gc.freeze)
        atexit.register(install)
        _run(sys.argv[1:])


def _run(arguments: list[str]) -> None:
    from optplan.collecting import collecting_later

    with collecting_later():
        from optplan.cli.app import app_for
        from optplan.cli.running import reported

        with reported():
            if any(word.startswith("--cfg-options") for word in arguments):
                arguments = _regrouped(arguments)
            app_for(arguments)(arguments, prog_name="optplan")


def _regrouped(arguments: list[str]) -> list[str]:
    """``--cfg-options a=1 b=2``, which takes several, as options that take one."""
    import typer

    from optplan.cli.running import running
    from optplan.config import regroup_cfg_options

    try:
        with running(quiet=False, debug=False):
            return regroup_cfg_options(arguments)
    except typer.Exit as leaving:
        raise SystemExit(leaving.exit_code) from None
