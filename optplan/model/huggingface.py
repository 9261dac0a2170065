"""Models of Hugging Face's transformers, built from a type or a ``config.json`` without weights."""

from __future__ import annotations

import inspect
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import util
from typing import TYPE_CHECKING, Any, TypeVar

from optplan.errors import ModelError, OptplanError, described_exception, did_you_mean, listed
from optplan.hf_specs import config_file, hf_type
from optplan.model.meta import build_on_meta
from optplan.model.plain_config import strange_config
from optplan.runtime.audit import download_error, lifted, no_network
from optplan.runtime.library_reading import library_reading
from optplan.runtime.stdio import suppress_transformers_output

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

T = TypeVar("T")

# What is imported before its code is restricted: parts of these write caches on import.
_LIBRARIES = ("timm", "transformers.modeling_utils")
_AUTO_CLASS = "auto_class"
_REFUSED = ("trust_remote_code", "code_revision", "auto_map")
# Entries that choose how a model runs, and may name code to fetch; no parameter depends on them.
_IMPLEMENTATIONS = frozenset(
    {
        "attn_implementation", "_attn_implementation", "_attn_implementation_internal",
        "experts_implementation", "_experts_implementation",
    }
)  # fmt: skip
# The library tries them in the order of their definition; these come first or last.
_FIRST, _LAST = "AutoModelForPreTraining", "AutoModel"
_FIRST_OF_ENCODER_DECODERS = (_FIRST, "AutoModelForSeq2SeqLM", "AutoModelForSpeechSeq2Seq")

_log = logging.getLogger(__name__)


def hf_model(spec: str, arguments: Mapping[str, Any]) -> nn.Module:
    """Build a model of transformers: without network and weights, and with no code but the library's.

    Args:
        spec: ``hf:TYPE``, ``hf:FOLDER``, or a path to a ``config.json``.
        arguments: Entries that override those of the model's config, by dotted names, and ``auto_class``.

    Raises:
        ModelError: transformers is not installed, has no such type or class, or it cannot be built.
    """
    if util.find_spec("transformers") is None:
        raise ModelError(
            f"{spec!r} is a model of transformers, which is not installed",
            hint="pip install transformers",
        )
    overrides = dict(arguments)
    head = overrides.pop(_AUTO_CLASS, None)
    if refused := next((name for name in _REFUSED if name in overrides), None):
        raise ModelError(
            f"{refused} is refused: only the code of transformers itself is run",
            hint=f"leave -k {refused} out",
        )
    entries = _nested(overrides)
    with (
        library_reading(strange_config(config_file(spec)), *_LIBRARIES),
        suppress_transformers_output(),
    ):
        config = _calling(lambda: _config(spec, entries), f"the config of {spec!r}")
        make = _calling(lambda: _maker(config, head), f"the class of {spec!r}")
        return build_on_meta(make, f"the model {spec!r}", falls_back=False)


def _calling(call: Callable[[], T], what: str) -> T:
    """Call code of transformers without network.

    Raises:
        ModelError: It raises.
    """
    with no_network() as tried:
        try:
            return call()
        except OptplanError:
            raise
        except Exception as error:  # the entries of a config may break it anywhere
            if tried:
                raise download_error(what, tried[0]) from error
            raise ModelError(f"{what} is refused: {described_exception(error)}") from error


def _nested(overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return dotted names as dicts of dicts."""
    found: dict[str, Any] = {}
    for dotted, value in overrides.items():
        *outer, last = dotted.split(".")
        inner = found
        for name in outer:
            inner = inner.setdefault(name, {})
            if not isinstance(inner, dict):
                raise ModelError(f"-k gives {name!r} both a value and entries")
        inner[last] = value
    return found


def _config(spec: str, overrides: Mapping[str, Any]) -> Any:
    """Return the config as the library makes it of a type, or of a file's entries.

    Raises:
        ModelError: There is no such type or file, or an override is unknown to its class.
    """
    path = config_file(spec)
    if path is None:
        made = _config_class(hf_type(spec), spec)
        _refuse_unknown(overrides, made, ())
        return made(**overrides)
    data = _without_implementations(_entries(path))
    kind = data.get("model_type")
    if not isinstance(kind, str):
        raise ModelError(
            f"{str(path)!r} names no model_type, by which transformers knows what to build",
            hint='write one into it, such as "model_type": "llama"',
        )
    made = _config_class(kind, str(path), data)
    _refuse_unknown(overrides, made, data)
    if "auto_map" in data:
        _log.warning("%s names code of its own (auto_map), which is not run", path)
    return made.from_dict(data, **overrides)


def _entries(path: Path) -> dict[str, Any]:
    """Return the entries of a ``config.json``.

    Raises:
        ModelError: It cannot be read, or is no JSON object.
    """
    try:
        with lifted():  # what the command line names, also beside code that a file names
            content = path.read_bytes()
        data = json.loads(content)
    except OSError as error:
        raise ModelError(f"{str(path)!r} cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{str(path)!r} is not JSON: {error}") from error
    if not isinstance(data, dict):
        raise ModelError(f"{str(path)!r} is no config of a model: it is no JSON object")
    return data


def _without_implementations(data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _without_implementations(value) if isinstance(value, dict) else value
        for name, value in data.items()
        if name not in _IMPLEMENTATIONS
    }


def _config_class(kind: str, spec: str, data: Mapping[str, Any] | None = None) -> Any:
    """Return the library's class for the configs of a type.

    Raises:
        ModelError: It has no such type.
    """
    from transformers import CONFIG_MAPPING

    if kind in CONFIG_MAPPING:
        return CONFIG_MAPPING[kind]
    if data is not None and "auto_map" in data:
        raise ModelError(
            f"{spec!r} asks for code of its own for the type {kind!r} (auto_map), which is never run",
            hint="install a version of transformers that has this type, or name a class of yours: "
            "--model train.py:Net",
        )
    if data is None and ("/" in kind or "\\" in kind):
        raise ModelError(
            f"{kind!r} is no folder here, and nothing is downloaded",
            hint="download its config.json and give the path, or name a type: --model hf:llama",
        )
    import transformers

    raise ModelError(
        f"transformers {transformers.__version__} has no model type {kind!r}",
        hint=did_you_mean(kind, CONFIG_MAPPING) or "name a type that it has, such as hf:llama",
    )


def _refuse_unknown(overrides: Mapping[str, Any], made: Any, written: object) -> None:
    """Refuse overrides that the class of a config does not know.

    Raises:
        ModelError: There is one.
    """
    known = {
        *inspect.signature(made).parameters,
        *getattr(made, "attribute_map", ()),
        *(name for name in dir(made) if isinstance(getattr(made, name, None), property)),
        "num_labels",
        *(written if isinstance(written, Mapping) else ()),
    }
    sub_configs = getattr(made, "sub_configs", {})
    for name, value in overrides.items():
        if name not in {*known, *sub_configs}:
            raise ModelError(
                f"{made.__name__} has no entry {name!r}",
                hint=did_you_mean(name, {*known, *sub_configs} - {"kwargs"}),
            )
        inner = sub_configs.get(name)
        if isinstance(value, Mapping) and inner is not None and inner.__name__ != "AutoConfig":
            below = written.get(name) if isinstance(written, Mapping) else None
            _refuse_unknown(value, inner, below)


def _maker(config: Any, head: object) -> Callable[[], nn.Module]:
    """Return what builds the model: the named class, the config's architecture, or the first one.

    Raises:
        ModelError: There is no such class, or it is for models of another type.
    """
    named = next(iter(config.architectures or ()), None)
    if isinstance(head, str) and head.startswith("Auto"):
        return _auto_maker(config, head)
    if head is not None or named is not None:
        return _class_maker(config, str(head or named))
    found = _auto_classes_of(config)
    if not found:
        raise ModelError(
            f"no auto class of transformers takes the type {config.model_type!r}",
            hint="it is a part of other models; name its class: -k auto_class=CLASS",
        )
    return lambda: _first_built([_auto_maker(config, name) for name in found])


def _first_built(makers: Sequence[Callable[[], nn.Module]]) -> nn.Module:
    """Return what the first class builds that can; where none can, the first one's failure is told."""
    failure: Exception | None = None
    for make in makers:
        try:
            return make()
        except Exception as error:  # noqa: BLE001 - a class may refuse its own default config
            failure = failure or error
    assert failure is not None
    raise failure


@cache
def _auto_classes() -> tuple[str, ...]:
    """Return the names of the library's auto classes, as it defines them, from the one that comes first."""
    from transformers.models.auto import modeling_auto

    names = [name for name in vars(modeling_auto) if name.startswith("AutoModelFor")]
    start = names.index(_FIRST) if _FIRST in names else 0
    return (*names[start:], *names[:start], _LAST)


def _auto_classes_of(config: Any) -> list[str]:
    """Return the names of the auto classes that take a config, the one to choose first."""
    import transformers

    kind = type(config)
    names = [
        name
        for name in _auto_classes()
        if kind in getattr(getattr(transformers, name, None), "_model_mapping", ())
    ]
    if getattr(config, "is_encoder_decoder", False):
        names.sort(key=lambda name: name not in _FIRST_OF_ENCODER_DECODERS)
    return names


def _auto_maker(config: Any, name: str) -> Callable[[], nn.Module]:
    import transformers

    if name not in (known := _auto_classes_of(config)):
        raise ModelError(
            f"transformers has no {name} for the type {config.model_type!r}",
            hint=did_you_mean(name, known) or f"it has {listed(known)}",
        )
    auto_class: Any = getattr(transformers, name)
    return lambda: auto_class.from_config(config, trust_remote_code=False)


def _class_maker(config: Any, name: str) -> Callable[[], nn.Module]:
    import transformers

    found: Any = getattr(transformers, name, None) if name.isidentifier() else None
    known = _auto_classes_of(config)
    if not (isinstance(found, type) and issubclass(found, transformers.PreTrainedModel)):
        hint = f"name one for {config.model_type!r}: -k auto_class={known[-1]}" if known else None
        raise ModelError(f"transformers has no model class {name!r}", hint=hint)
    make: Any = found
    kind = make.config_class
    if kind is None or isinstance(config, kind):
        return lambda: make._from_config(config)  # noqa: SLF001 - as the auto classes do
    text = config.get_text_config()
    if not isinstance(text, kind):
        raise ModelError(f"{name} takes a {kind.__name__}, and this is a {type(config).__name__}")
    return lambda: make._from_config(text)  # noqa: SLF001
