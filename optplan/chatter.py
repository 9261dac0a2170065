"""Keeps what other people's code prints out of the report."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from typing import Any

_STDOUT, _STDERR = 1, 2


@contextlib.contextmanager
def chatter_to_stderr() -> Iterator[None]:
    """Send to stderr what is printed to stdout, by subprocesses and extension modules too."""
    with contextlib.redirect_stdout(sys.stderr), _descriptor_to_stderr():
        yield


@contextlib.contextmanager
def heard() -> Iterator[list[str]]:
    """Gives a list of the warnings, and of what is logged as one, that are shown meanwhile."""
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
def hushed() -> Iterator[None]:
    """As :func:`chatter_to_stderr`, for packages that a config names.

    Their warnings and what they log below a warning are held back: nobody who reads a plan can mend
    them, and the imports of one config bring dozens.
    """
    before = logging.root.manager.disable
    with chatter_to_stderr(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.disable(max(before, logging.INFO))
        try:
            yield
        finally:
            logging.disable(before)


@contextlib.contextmanager
def transformers_hushed() -> Iterator[None]:
    """As :func:`hushed`, and what transformers and its kin log as a warning is held back as well."""
    loggers = [logging.getLogger(name) for name in ("transformers", "accelerate", "peft")]
    levels = [logger.level for logger in loggers]
    with hushed():
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
    """What was written so far belongs to where stdout leads now."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.__stdout__.flush()  # type: ignore[union-attr]
