"""The command line."""

from __future__ import annotations

from optplan.runtime.interrupts import EndingAtInterrupt, end_process, ignore_at_exit, install

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def main() -> None:
    """Run the command that the arguments name, and exit with its status."""
    with EndingAtInterrupt():
        import atexit
        import gc
        import os
        import sys

        from optplan.runtime.where import Where, run_named_code

        # a process that ends looks all that it has loaded over for garbage: with torch, for most of a second
        atexit.register(ignore_at_exit)
        atexit.register(gc.freeze)
        atexit.register(install)
        _reopen_closed()
        run_named_code(Where.ELSEWHERE)
        try:
            run(sys.argv[1:])
        except SystemExit as leaving:
            if "RANK" in os.environ and isinstance(leaving.code, int):  # started by torchrun
                end_process(leaving.code)
            raise


def run(arguments: Sequence[str]) -> None:
    """Run the command that these arguments name.

    Raises:
        SystemExit: Always, with its status.
    """
    from optplan.runtime.gc_control import gc_deferred

    with gc_deferred():
        from optplan.cli.app import app_for
        from optplan.cli.running import reported

        given = _renamed(arguments)
        with reported():
            if any(word.startswith("--cfg-options") for word in given):
                given = _regrouped(given)
            app_for(given)(given, prog_name="optplan")


def _renamed(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with the words of earlier versions in today's."""
    given = list(arguments)
    if given[:1] == ["rule"]:
        given[0] = "checks"
    for at, word in enumerate(given):
        if word == "--view=groups":
            given[at] = "--view=settings"
        elif word == "groups" and at and given[at - 1] == "--view":
            given[at] = "settings"
    return given


def _reopen_closed() -> None:
    """Let what was closed before the start lead nowhere, or the first file opened takes its number.

    ``sys.stdout`` stays None: a report that cannot be written is an error.
    """
    import os
    import sys

    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stderr is None:
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115


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
