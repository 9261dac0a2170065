"""Adapters of Hugging Face's peft, put into a model without weights."""

from __future__ import annotations

import json
from importlib import util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optplan.errors import ModelError, did_you_mean
from optplan.model.meta import build_on_meta
from optplan.runtime.audit import lifted
from optplan.runtime.library_reading import library_reading
from optplan.runtime.stdio import suppress_transformers_output

if TYPE_CHECKING:
    from torch import nn

_FILE = "adapter_config.json"


def with_adapter(model: nn.Module, word: str) -> nn.Module:
    """Put an adapter into a model as for a training: its weights are trained, those of the model are not.

    Args:
        model: The model, which is changed.
        word: The path of an ``adapter_config.json``, or of the folder that holds it.

    Raises:
        ModelError: peft is not installed, the file is wrong, or the adapter does not fit the model.
    """
    if util.find_spec("peft") is None:
        raise ModelError(
            f"--peft {word} is an adapter of peft, which is not installed", hint="pip install peft"
        )

    def build() -> nn.Module:
        import peft

        config = peft.PeftConfig.from_peft_type(**data)
        adapted: nn.Module = peft.get_peft_model(model, config)
        return adapted

    with library_reading(word, "timm", "peft"), suppress_transformers_output():
        data = _entries(word)
        return build_on_meta(build, f"the adapter {word!r}", falls_back=False)


def _entries(word: str) -> dict[str, Any]:
    """Return the entries of an adapter's config.

    Raises:
        ModelError: It cannot be read, or is none.
    """
    path = Path(word)
    path = path / _FILE if path.is_dir() else path
    try:
        with lifted():  # what the command line names, also beside code that a file names
            content = path.read_bytes()
        data = json.loads(content)
    except OSError as error:
        raise ModelError(f"--peft {word}: it cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f"--peft {word} is not JSON: {error}") from error
    if not isinstance(data, dict) or not isinstance(data.get("peft_type"), str):
        raise ModelError(f"--peft {word} is no config of an adapter: it names no peft_type")
    _require_type(data["peft_type"])
    # as for a training, and without values that are computed from the model's weights
    data |= {"inference_mode": False, "auto_mapping": None}
    if isinstance(data.get("init_lora_weights"), str):
        data["init_lora_weights"] = True
    return data


def _require_type(kind: str) -> None:
    import peft

    known = [one.value for one in peft.PeftType]
    if kind not in known:
        raise ModelError(f"peft has no type {kind!r}", hint=did_you_mean(kind.upper(), known))


def saved_names(model: nn.Module) -> dict[str, str] | None:
    """Return how peft calls each tensor of a model's adapter in a checkpoint, with the model's own name for it.

    None where the model has no adapter, or peft works out what it saves of the values.
    """
    if util.find_spec("peft") is None:
        return None
    import peft

    if not isinstance(model, peft.PeftModel):
        return None
    own = dict(model.state_dict())
    known = {id(tensor): name for name, tensor in own.items()}
    try:
        saved = peft.get_peft_model_state_dict(model, state_dict=own, save_embedding_layers=False)
    except (RuntimeError, NotImplementedError, KeyError, ValueError):
        return None
    found = {name: known.get(id(tensor)) for name, tensor in saved.items()}
    names = {name: own_name for name, own_name in found.items() if own_name is not None}
    return names if len(names) == len(found) else None
