"""Recognize what the user calls a model of Hugging Face's transformers: a type, a folder or a ``config.json``."""

from __future__ import annotations

from pathlib import Path

PREFIX = "hf:"
# The name among a model's arguments under which --peft is passed on; -k cannot give it.
ADAPTER = "--peft"
# The same for those that a config gives the class that the command line names.
FILE_ARGUMENTS = "--config"
_FILE = "config.json"


def is_hf_spec(spec: str) -> bool:
    """Return whether a model's name means one of transformers: ``hf:…``, or a path to a ``config.json``."""
    return spec.startswith(PREFIX) or spec.endswith(".json")


def hf_type(spec: str) -> str:
    """Return the model type that a spec names, where it names no file."""
    return spec.removeprefix(PREFIX)


def config_file(spec: str) -> Path | None:
    """Return the file that a model's config is read from; None where a type of transformers is named."""
    word = hf_type(spec)
    path = Path(word)
    if word.endswith(".json"):
        return path
    try:
        is_folder = word != "" and "\0" not in word and path.is_dir()
    except OSError:  # too long for a path
        return None
    # a bare word is a type, unless a folder of that name holds a model
    is_meant = is_folder and (len(path.parts) != 1 or (path / _FILE).is_file())
    return path / _FILE if is_meant else None
