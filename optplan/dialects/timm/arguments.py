"""Read timm's recipes as typed data: the ``args.yaml`` that its ``train.py`` writes and reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from optplan.config.own_model import SECTION, TIMM
from optplan.config.paramwise import described, number_problem, rate_problem
from optplan.config.placed import PlacedDict, place_of, placed_dict, raw_place_of
from optplan.errors import ConfigError, Problem, did_you_mean
from optplan.places import Place

# What train.py takes where a file says nothing. As read in the repository of timm 1.0.
DEFAULTS: Mapping[str, Any] = MappingProxyType(
    {
        "opt": "sgd",
        "lr": None,
        "weight_decay": 2e-5,
        "momentum": 0.9,
        "lr_base": 0.1,
        "lr_base_size": 256,
        "lr_base_scale": "",
        "batch_size": 128,
        "grad_accum_steps": 1,
    }
)
# What the factory of optimizers reads besides; it is left out where the file says nothing, or null.
_FACTORY = (
    "opt_eps",
    "opt_betas",
    "layer_decay",
    "layer_decay_min_scale",
    "layer_decay_no_opt_scale",
)
_FACTORY_MORE = ("opt_foreach", "opt_args")
_RATES = ("lr", "weight_decay", "momentum", "lr_base", *_FACTORY[:1], *_FACTORY[2:])
_COUNTS = ("batch_size", "grad_accum_steps", "num_classes", "in_chans")
# The types that train.py's parser gives to a text, of its scheduler's arguments as well.
_FLOATS = frozenset(
    {
        *_RATES, "decay_epochs", "decay_rate", "lr_cycle_decay", "lr_cycle_mul", "lr_k_decay",
        "lr_noise_pct", "lr_noise_std", "min_lr", "warmup_lr",
    }
)  # fmt: skip
_INTS = frozenset(
    {
        *_COUNTS, "cooldown_epochs", "epochs", "lr_base_size", "lr_cycle_limit", "patience_epochs", "seed",
        "warmup_epochs",
    }
)  # fmt: skip
_MAPPINGS = ("opt_kwargs", "opt_args", "model_kwargs")
_SCALES = ("", "linear", "sqrt")
# The arguments that train.py gives to the model by names of its own, as far as they change parameters.
_MODEL_ARGUMENTS = MappingProxyType(
    {"num_classes": "num_classes", "in_chans": "in_chans", "gp": "global_pool"}
)
# What the factory is given as arguments of its own, which opt_kwargs must not repeat.
_GIVEN = MappingProxyType(
    {
        "opt": "opt",
        "lr": "lr",
        "weight_decay": "weight_decay",
        "momentum": "momentum",
        "eps": "opt_eps",
        "betas": "opt_betas",
        "layer_decay": "layer_decay",
        "layer_decay_min_scale": "layer_decay_min_scale",
        "layer_decay_no_opt_scale": "layer_decay_no_opt_scale",
        "foreach": "opt_foreach",
    }
)
OPTIMIZER_KEYS = frozenset({*DEFAULTS, *_FACTORY, *_FACTORY_MORE, "opt_kwargs"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TimmArgs:
    """A recipe of timm's ``train.py``.

    Args:
        written: The file's entries, which know their places.
        factory: What ``timm.optim.optimizer_kwargs`` reads, ``lr`` as it is written.
        opt_kwargs: Further arguments of ``create_optimizer_v2``.
        model: The model's name; None where the file names none.
        model_arguments: Its arguments, as far as they change parameters.
        trusted: What it names may be imported from anywhere.
    """

    written: Mapping[str, Any]
    factory: Mapping[str, Any]
    opt_kwargs: Mapping[str, Any]
    model: str | None
    model_arguments: Mapping[str, Any]
    trusted: bool = False

    def place_of(self, name: str) -> Place | None:
        """Return where an entry is written, None where ``train.py``'s default holds."""
        return place_of(self.written, name)

    def value(self, name: str) -> Any:
        """Return an entry, or what ``train.py`` takes for it."""
        found = self.written.get(name)
        return DEFAULTS.get(name) if found is None else found


def as_parsed(data: Mapping[str, Any]) -> PlacedDict:
    """Return a recipe as train.py has it: its parser turns a text into the argument's type, as ``1e-4`` in YAML.

    A text that is no number stays, and is refused like any other.
    """
    values = {name: _parsed(name, value) for name, value in data.items()}
    return placed_dict(values.items(), getattr(data, "raw_places", {}))


def _parsed(name: str, value: Any) -> Any:
    if not isinstance(value, str) or name not in _FLOATS | _INTS:
        return value
    try:
        return float(value) if name in _FLOATS else int(value)
    except ValueError:
        return value


def read_timm_args(data: Mapping[str, Any]) -> TimmArgs:
    """Return a recipe as typed data.

    Raises:
        ConfigError: Every value that is not of its kind.
    """
    data = as_parsed(data)
    problems = list(_problems(data))
    if problems:
        raise ConfigError(problems)
    factory = {
        name: data.get(name, DEFAULTS[name]) for name in ("opt", "lr", "weight_decay", "momentum")
    }
    factory |= {n: data[n] for n in (*_FACTORY, *_FACTORY_MORE) if data.get(n) is not None}
    return TimmArgs(
        written=data,
        factory=factory,
        opt_kwargs=data.get("opt_kwargs") or {},
        model=data.get("model"),
        model_arguments=_model_arguments(data),
    )


def _problems(data: Mapping[str, Any]) -> Iterable[Problem]:
    for name in ("opt", "model", "gp"):
        if data.get(name) is not None and not isinstance(data[name], str):
            yield _wrong(data, name, "a name")
    for name in _RATES:
        if data.get(name) is not None and (problem := rate_problem(data, name)):
            yield problem
    for name in ("weight_decay", "momentum", "lr_base"):
        if name in data and data[name] is None:
            yield _wrong(data, name, "a number")
    yield from _other_problems(data)
    for name in _MAPPINGS:
        if data.get(name) is not None and not isinstance(data[name], Mapping):
            yield _wrong(data, name, "a mapping of names to values")
    yield from _repeated(data)


def _is_count(value: object, name: str) -> bool:
    least = 0 if name in ("num_classes", "grad_accum_steps") else 1
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _other_problems(data: Mapping[str, Any]) -> Iterable[Problem]:
    for name in _COUNTS:
        if data.get(name) is not None and not _is_count(data[name], name):
            yield _wrong(data, name, "a whole number above 0")
    scale = data.get("lr_base_scale") or ""
    if scale not in _SCALES:
        hint = did_you_mean(scale, _SCALES) if isinstance(scale, str) else None
        yield _wrong(data, "lr_base_scale", "'linear' or 'sqrt'", hint)
    yield from _batch_problems(data)
    size = data.get("lr_base_size")
    if size is not None and (number_problem(data, "lr_base_size") or size <= 0):
        yield _wrong(data, "lr_base_size", "a number above 0")
    betas = data.get("opt_betas")
    if betas is not None and not (
        isinstance(betas, list | tuple)
        and all(number_problem({"beta": beta}, "beta") is None for beta in betas)
    ):
        yield _wrong(data, "opt_betas", "a list of numbers")


def _batch_problems(data: Mapping[str, Any]) -> Iterable[Problem]:
    """Yield what is wrong with batches of several sizes, as far as the lr depends on it."""
    images = data.get("train_img_sizes")
    if images is None:
        return
    if not isinstance(images, list | tuple) or not images:
        yield _wrong(data, "train_img_sizes", "a list of sizes")
        return
    for name, is_fine in (("train_batch_sizes", _is_size), ("train_size_probs", _is_weight)):
        values = data.get(name)
        if values is None:
            continue
        if not isinstance(values, list | tuple) or not all(map(is_fine, values)):
            yield _wrong(data, name, "a list of numbers, none below 0")
        elif len(values) != len(images):
            yield _wrong(data, name, f"a list of {len(images)}, one for each of train_img_sizes")
        elif not sum(values) > 0:
            yield _wrong(data, name, "a list of numbers that are not all 0")
    for name, default in (("train_size_schedule_spread", 0), ("train_size_random_mix", 0)):
        value = data.get(name, default)
        if not _is_weight(value) or (name == "train_size_random_mix" and value > 1):
            yield _wrong(data, name, "a number that is not negative, and a share at most 1")


def _is_size(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_weight(value: object) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and 0 <= value < float("inf")  # type: ignore[operator]


def _repeated(data: Mapping[str, Any]) -> Iterable[Problem]:
    """Yield arguments that are given twice, which Python refuses."""
    kwargs = data.get("opt_kwargs")
    for name in kwargs if isinstance(kwargs, Mapping) else ():
        entry = _GIVEN.get(name)
        if entry is not None and (entry in DEFAULTS or data.get(entry) is not None):
            yield Problem(
                message=f"opt_kwargs repeats {name!r}, which train.py gives to the optimizer already",
                place=place_of(kwargs, name),
                hint=f"set {entry} instead",
            )
    model = data.get("model_kwargs")
    for entry, name in _MODEL_ARGUMENTS.items():
        if isinstance(model, Mapping) and name in model:
            yield Problem(
                message=f"model_kwargs repeats {name!r}, which train.py gives to the model already",
                place=place_of(model, name),
                hint=f"set {entry} instead",
            )


def _wrong(data: Mapping[str, Any], name: str, wanted: str, hint: str | None = None) -> Problem:
    return Problem(
        message=f"{name} must be {wanted}, got {described(data[name])}",
        place=place_of(data, name),
        hint=hint,
    )


def _model_arguments(data: Mapping[str, Any]) -> dict[str, Any]:
    found = {
        name: data[entry] for entry, name in _MODEL_ARGUMENTS.items() if data.get(entry) is not None
    }
    size = data.get("input_size")
    if "in_chans" not in found and isinstance(size, list | tuple) and size:
        found["in_chans"] = size[0]
    return found | dict(data.get("model_kwargs") or {})


def model_section(args: TimmArgs) -> PlacedDict | None:
    """Return what a recipe says of its model as a section; None where it names none.

    Raises:
        ConfigError: ``split_bn`` changes the model.
    """
    if args.model is None:
        return None
    if args.written.get("split_bn"):
        raise ConfigError(
            "split_bn makes train.py add batch norms to the model, which are not planned",
            place=args.place_of("split_bn"),
            hint="name a model that has them: --model FILE.py:ATTR",
        )
    kind = raw_place_of(args.written, SECTION)
    places = {name: raw_place_of(args.written, entry) for entry, name in _MODEL_ARGUMENTS.items()}
    section = {"type": f"{TIMM}{args.model}", **args.model_arguments}
    return placed_dict(section.items(), {name: places.get(name) or kind for name in section})
