"""What is longer than the screen is shown in a pager, as git shows it."""

from __future__ import annotations

import os

# As git sets them for less and lv, where they are not set: quit if it fits, colours as they are, leave the screen.
_SETTINGS = {"LESS": "FRX", "LV": "-c"}


def is_paged(text: str, lines: int | None) -> bool:
    """Show a text in a pager, where it is longer than the screen.

    The pager is that of OPTPLAN_PAGER or PAGER, else less; ``cat`` or nothing is none. A pipe, a file, CI and
    a dumb terminal have none.

    Args:
        text: The text.
        lines: The lines of the screen; None where there is none.

    Returns:
        Whether a pager has shown it.
    """
    if lines is None or text.count("\n") < lines or not _may_page():
        return False
    command = os.environ.get("OPTPLAN_PAGER", os.environ.get("PAGER", "less")).strip()
    if command in ("", "cat"):
        return False
    return _shown_by(command, text)


def _may_page() -> bool:
    return os.environ.get("TERM", "dumb") != "dumb" and not os.environ.get("CI")


def _shown_by(command: str, text: str) -> bool:
    """Run a pager; the user may leave it before it has read all."""
    import shlex
    import shutil
    import signal
    import subprocess

    try:
        words = shlex.split(command)
    except ValueError:
        return False
    if not words or shutil.which(words[0]) is None:
        return False
    try:
        pager = subprocess.Popen(words, stdin=subprocess.PIPE, env=_SETTINGS | dict(os.environ))
    except OSError:
        return False
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the pager's
    try:
        with pager:
            pager.communicate(text.encode("utf-8", "backslashreplace"))
    finally:
        signal.signal(signal.SIGINT, before)
    return True
