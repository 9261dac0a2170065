"""Run the command that the arguments name, and exit with its status.

Turns the command line into a request; a module of the room is a command. Imports app, checks and reporters, never torch.
"""

from __future__ import annotations

from optplan.runtime.interrupts import EndingAtInterrupt, end_process, ignore_at_exit, install


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
            _run(sys.argv[1:])
        except SystemExit as leaving:
            if "RANK" in os.environ and isinstance(leaving.code, int):  # started by torchrun
                end_process(leaving.code)
            raise


def _run(arguments: list[str]) -> None:
    """Run a command line here, or in a process of its own where its config names code."""
    from optplan.runtime.gc_control import gc_deferred
    from optplan.runtime.where import IsolationNeededError

    with gc_deferred():
        from optplan.cli.app import run

        try:
            run(arguments)
        except IsolationNeededError:
            from optplan.cli.isolated import run_isolated

            raise SystemExit(run_isolated(arguments)) from None


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
