"""Keep what third-party code prints out of the report."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

_STDOUT, _STDERR = 1, 2


@contextlib.contextmanager
def stdout_to_stderr() -> Iterator[None]:
    """Send to stderr what is printed to stdout, by subprocesses and extension modules too."""
    with contextlib.redirect_stdout(sys.stderr), _descriptor_to_stderr():
        yield


@contextlib.contextmanager
def capture_warnings() -> Iterator[list[str]]:
    """Yield a list of the warnings, and of the records logged as warnings, of the context."""
    said: list[str] = []
    show = warnings.showwarning
    listener = _Listener(said)

    def listen(message: Any, *given: Any, **named: Any) -> None:
        said.append(str(message))
        show(message, *given, **named)

    warnings.showwarning = listen
    logging.root.addHandler(listener)
    try:
        yield said
    finally:
        logging.root.removeHandler(listener)
        warnings.showwarning = show


class _Listener(logging.Handler):
    def __init__(self, said: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._said = said

    def emit(self, record: logging.LogRecord) -> None:
        self._said.append(record.getMessage())


@contextlib.contextmanager
def suppress_output() -> Iterator[None]:
    """Send stdout to stderr, and suppress warnings and what is logged below a warning.

    For packages that a config names: a reader of the plan cannot fix their warnings.
    """
    before = logging.root.manager.disable
    with stdout_to_stderr(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.disable(max(before, logging.INFO))
        try:
            yield
        finally:
            logging.disable(before)


@contextlib.contextmanager
def suppress_transformers_output() -> Iterator[None]:
    """Do as :func:`suppress_output`, and suppress what transformers and its kin log as a warning as well."""
    loggers = [logging.getLogger(name) for name in ("transformers", "accelerate", "peft")]
    levels = [logger.level for logger in loggers]
    with suppress_output():
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


@contextlib.contextmanager
def _descriptor_to_stderr() -> Iterator[None]:
    _flush()
    try:
        saved = os.dup(_STDOUT)
    except OSError:  # stdout is closed
        yield
        return
    try:
        with contextlib.suppress(OSError):  # stderr is closed
            os.dup2(_STDERR, _STDOUT)
        yield
    finally:
        _flush()
        os.dup2(saved, _STDOUT)
        os.close(saved)


def _flush() -> None:
    """Flush stdout before it is redirected."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.__stdout__.flush()  # type: ignore[union-attr]


def remark(lines: Iterable[str]) -> None:
    """Write remarks to stderr, for a format of the report that has no place for them."""
    for line in lines:
        logging.getLogger("optplan").warning("%s", line)
