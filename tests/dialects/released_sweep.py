"""Hold a dialect against its trainer's own code on released files: ``python -m tests.dialects.released_sweep hydra FOLDER``.

Prints how many files are equal, parameter by parameter, and which are left out, by their reason. The files are not part
of this repository: FOLDER is a checkout of theirs.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from torch import nn
from torch.optim import Optimizer

from optplan.app.planning import make_plan
from optplan.dialects import dialect_of, load_config
from optplan.errors import OptplanError

# Makes the optimizer of a file as the trainer does.
Reference = Callable[[Path, nn.Module], Optimizer]
# Makes the model that a file is compared on.
ModelOf = Callable[[Path], nn.Module]
_SUFFIXES = frozenset({".yaml", ".yml", ".json"})


class SmallNet(nn.Module):
    """What each kind of rule tells apart: weights, biases, norms, an embedding, and names of backbones."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
        self.encoder = nn.ModuleDict({"norm": nn.LayerNorm(4), "proj": nn.Linear(4, 4)})
        self.decoder = nn.ModuleDict({"norm": nn.LayerNorm(4), "bbox": nn.Linear(4, 4, bias=False)})
        self.embedding = nn.Embedding(5, 4)
        self.head = nn.Linear(4, 2)
        self.frozen = nn.Linear(2, 2)
        self.frozen.requires_grad_(False)


def differences(
    path: Path, reference: Reference, model_of: ModelOf = lambda _: SmallNet()
) -> list[str]:
    """Return what differs between the plan of a file and the optimizer that its trainer makes; nothing where they are equal.

    Raises:
        OptplanError: There is no plan.
    """
    model = model_of(path)
    plan = make_plan(model, load_config(path))
    made = reference(path, model)
    names = {id(one): name for name, one in model.named_parameters()}
    wanted = {
        names[id(one)]: {key: value for key, value in group.items() if key != "params"}
        for group in made.param_groups
        for one in group["params"]
    }
    (optimizer,) = plan.optimizers
    found = {row.name: row for row in plan.parameters if row.group is not None}
    said = [f"class {optimizer.class_name}"] if optimizer.class_name != class_name(made) else []
    said += [f"other parameters: {set(found) ^ set(wanted)}"] if set(found) != set(wanted) else []
    for name in found.keys() & wanted.keys():
        row, group = found[name], wanted[name]
        own = {**made.defaults, **optimizer.options, **row.options}
        own |= {"lr": row.lr, "weight_decay": row.weight_decay}
        for key in made.defaults:
            if plain(group[key]) != plain(own.get(key)):
                said.append(f"{name} {key}: {own.get(key)} instead of {group[key]}")
    return said


def class_name(made: Optimizer) -> str:
    return f"{type(made).__module__}.{type(made).__qualname__}"


def plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple | list) else value


def files_of(dialect: str, folder: Path) -> Iterator[Path]:
    """Yield the files of a folder that are of a dialect."""
    for path in sorted(folder.rglob("*")):
        with suppress(OptplanError):
            is_file = path.suffix in _SUFFIXES and path.is_file()
            if is_file and dialect_of(load_config(path)).name == dialect:
                yield path


def sweep(dialect: str, folder: Path, reference: Reference, model_of: ModelOf) -> bool:
    """Print the comparison of all files of a dialect in a folder; return whether none differs."""
    equal, differ = 0, dict[Path, list[str]]()
    left_out: dict[str, list[Path]] = defaultdict(list)
    for path in files_of(dialect, folder):
        try:
            if said := differences(path, reference, model_of):
                differ[path] = said
            else:
                equal += 1
        except OptplanError as error:
            left_out[error.problems[0].message].append(path)
        except Exception as error:  # noqa: BLE001 - the trainer refuses it, too
            text = str(error).splitlines()
            left_out[f"the trainer: {type(error).__name__}: {text[0] if text else ''}"].append(path)
    out = sum(map(len, left_out.values()))
    print(f"{dialect}: {equal} equal, {len(differ)} differ, {out} left out")
    for path, said in differ.items():
        print(f"  differs: {path.relative_to(folder)}: {said[:3]}")
    for reason, paths in sorted(left_out.items(), key=lambda one: -len(one[1])):
        print(f"  left out {len(paths)}: {reason} ({paths[0].relative_to(folder)})")
    return not differ


if __name__ == "__main__":
    name = sys.argv[1]
    found = import_module(f"tests.dialects.reference_{name}")
    model = getattr(found, "model_of", lambda _: SmallNet())
    sys.exit(0 if sweep(name, Path(sys.argv[2]), found.reference, model) else 1)
