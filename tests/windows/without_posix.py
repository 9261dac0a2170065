"""Take from this process what Windows does not have, import all of optplan, and run its commands.

What optplan needs of others is imported before: torch and Python's own modules ask the system that really is there.
"""

from __future__ import annotations

import asyncio  # noqa: F401 - asks for the platform when it is imported
import ctypes.util  # noqa: F401
import importlib
import logging.handlers  # noqa: F401
import multiprocessing.connection
import multiprocessing.resource_tracker  # noqa: F401
import os
import pkgutil
import shutil  # noqa: F401
import signal
import subprocess  # noqa: F401
import sys
import tempfile  # noqa: F401

import accelerate  # noqa: F401
import platformdirs  # noqa: F401
import rich.console  # noqa: F401
import timm.optim
import timm.scheduler  # noqa: F401
import torch.distributed.fsdp
import torch.utils.data  # noqa: F401
import typer.main  # noqa: F401

# by typeshed, which tells the systems apart; what Python's own modules have looked up by now is theirs
MODULES = ("fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "readline", "syslog")
OF_OS = (
    "O_NONBLOCK O_NOFOLLOW O_DIRECTORY O_CLOEXEC O_PATH SCHED_IDLE WNOHANG chown fchmod fork forkpty "
    "getegid geteuid getgid getloadavg getpgid getpgrp getpriority getresuid getsid getuid killpg lchown "
    "mkfifo mknod nice openpty pipe2 posix_spawn posix_spawnp pread preadv pwrite register_at_fork "
    "sched_getaffinity sched_setaffinity sched_setscheduler sched_yield sendfile set_blocking setpgid "
    "setpriority setsid setuid statvfs sysconf tcgetpgrp ttyname uname"
)
OF_SIGNAL = (
    "SIGALRM SIGCHLD SIGHUP SIGKILL SIGPIPE SIGQUIT SIGSTOP SIGUSR1 SIGUSR2 SIG_BLOCK SIG_SETMASK "
    "SIG_UNBLOCK alarm getitimer pthread_kill pthread_sigmask setitimer siginterrupt sigpending "
    "sigtimedwait sigwait"
)


def hide() -> None:
    """Take it from this process."""
    for name in MODULES:
        sys.modules[name] = None  # type: ignore[assignment]
    for module, names in ((os, OF_OS), (signal, OF_SIGNAL)):
        for name in names.split():
            if hasattr(module, name):
                delattr(module, name)
    sys.platform = "win32"


def main() -> None:
    """Import all modules, then run the commands that are given, a line each."""
    hide()
    import optplan

    assert not [name for name in sys.modules if name.startswith("optplan.cli")]
    for found in pkgutil.walk_packages(optplan.__path__, "optplan."):
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)
    print("imported", len([name for name in sys.modules if name.startswith("optplan.")]))

    from optplan.cli.app import run

    for line in sys.argv[1:]:
        try:
            run(line.split())
        except SystemExit as leaving:
            print(line, leaving.code)


if __name__ == "__main__":
    main()
