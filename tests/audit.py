"""What the default recipes of the trainers give every model of transformers and of timm, as Markdown.

``python -m tests.audit > .github/AUDIT.md`` takes some minutes. A model is built without memory, planned and
given up before the next; nothing is downloaded. ``--every N`` takes each N-th model.
"""

from __future__ import annotations

import argparse
import gc
import inspect
import multiprocessing
import re
import resource
import sys
import textwrap
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any

from optplan.app.planning import plan_with_facts
from optplan.checks.facts.decay_consistency import is_norm_like
from optplan.errors import OptplanError
from optplan.model import LoadedModel, open_model
from optplan.plan import PlannedParameter, RuleUse

RECIPES = {
    "transformers": {
        "output_dir": "o",
        "learning_rate": 5e-5,
        "weight_decay": 0.01,
        "optim": "adamw_torch",
    },
    "timm": {"opt": "adamw", "lr": 1e-3, "weight_decay": 0.05, "sched": "cosine"},
}
_BYTES = 3 << 30
# Shorter ones where a model is too large.
_SHORTER = {"num_hidden_layers": 4, "text_config.num_hidden_layers": 4}


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """What a recipe gives one model.

    Args:
        name: Its name in the library.
        kind: Its class.
        parameters: How many names of parameters it has.
        norms: The decayed parameters of norms, by class.
        matrices: The spared trainable parameters of two and more dimensions, by what spared them.
        uncovered: The trainable parameters in no group.
        frozen: Those that are not trainable as the library makes the model.
        declared: Where its class declares what gets no weight decay.
        problem: Why it is left out, and nothing else holds.
        seconds: How long building it took, and how long planning it.
    """

    name: str
    kind: str = ""
    parameters: int = 0
    norms: tuple[tuple[str, int], ...] = ()
    matrices: tuple[tuple[str, int], ...] = ()
    uncovered: int = 0
    frozen: int = 0
    declared: str = ""
    problem: str = ""
    seconds: tuple[float, float] = (0.0, 0.0)


def audited(name: str, library: str) -> Audited:
    """Return what a library's default recipe gives one of its models."""
    start = time.process_time()
    try:
        loaded, note = _built(name, library)
        built = time.process_time()
        plan = plan_with_facts(loaded, RECIPES[library]).plan
        facts = {one.name: one for one in loaded.inventory.parameters}
    except (OptplanError, MemoryError) as error:
        return Audited(name=name, problem=_shortened(error))
    planned = time.process_time()
    rows = [row for row in plan.parameters if row.status != "duplicate"]
    return Audited(
        name=name,
        kind=f"{type(loaded.module).__name__}{note}",
        parameters=len(rows),
        norms=_counted(
            row.module for row in rows if row.weight_decay and is_norm_like(facts[row.name])
        ),
        matrices=_counted(
            _cause(row)
            for row in rows
            if _is_spared_matrix(row) and not is_norm_like(facts[row.name])
        ),
        uncovered=sum(row.status == "uncovered" for row in rows),
        declared=_declaration(type(loaded.module)),
        frozen=sum(not row.requires_grad for row in rows),
        seconds=(built - start, planned - built),
    )


def _declaration(kind: type) -> str:
    found = getattr(kind, "no_weight_decay", None)
    return "" if found is None else line_of(inspect.unwrap(found), "def no_weight_decay")


def _built(name: str, library: str) -> tuple[LoadedModel, str]:
    spec = f"hf:{name}" if library == "transformers" else f"timm:{name}"
    try:
        return open_model(spec, {}), ""
    except MemoryError:
        gc.collect()
        for key, value in _SHORTER.items():
            try:
                return open_model(spec, {key: value}), f" ({value} layers)"
            except OptplanError:
                continue
        raise


def _shortened(error: BaseException) -> str:
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    text = re.sub(r"(hf:|timm:)?'[^']*'|'hf:[^']*'", "…", text)
    text = re.sub(r" \([^()]*\)?$", "", text)  # the place in a file, or another remark at the end
    return textwrap.shorten(text, 100, placeholder=" …").replace("|", "/")


def _is_spared_matrix(row: PlannedParameter) -> bool:
    is_matrix = sum(size != 1 for size in row.shape) > 1
    return is_matrix and row.requires_grad and row.weight_decay == 0


def _cause(row: PlannedParameter) -> str:
    """Return what of the trainer's rules spared a parameter; for a name that the model declares, that name."""
    rule: RuleUse | None = row.weight_decay_rule
    assert rule is not None
    if rule.rule == "no_weight_decay":
        found = re.search(r"(?:[^.]+(?:\.\d+)*\.weight|[^.]+)$", row.name)
        return f"no_weight_decay: {found and found[0]}"
    return str(rule.key or rule.option or rule.rule)


def _counted(found: Iterable[str]) -> tuple[tuple[str, int], ...]:
    return tuple(Counter(found).most_common())


def sweep(names: Sequence[str], library: str) -> Iterator[Audited]:
    """Yield what each model gets; processes are renewed, so that no more than a few models' code is loaded."""
    resource.setrlimit(resource.RLIMIT_DATA, (_BYTES, resource.RLIM_INFINITY))
    context = multiprocessing.get_context("fork")
    with context.Pool(1, maxtasksperchild=40) as pool:
        for number, one in enumerate(pool.imap(partial(audited, library=library), names)):
            print(
                f"\r{number + 1} of {len(names)} {one.name:40}", end="", file=sys.stderr, flush=True
            )
            yield one
    print(file=sys.stderr)


# --- the page


def line_of(module: Any, text: str) -> str:
    """Return where the source of a library's object has a text first: ``package/file.py:line``."""
    lines, start = inspect.getsourcelines(module)
    found = next(number for number, line in enumerate(lines) if text in line)
    return f"{_file(inspect.getfile(module))}:{max(start, 1) + found}"


def _file(path: str) -> str:
    return path.rpartition("site-packages/")[2]


def page(library: ModuleType, results: Sequence[Audited], causes: Sequence[str]) -> Iterator[str]:
    """Yield the lines of one library's part."""
    done = [one for one in results if not one.problem]
    yield f"## {library.__name__} {library.__version__}"
    yield ""
    yield from causes
    yield ""
    counts = [
        sum(bool(getattr(one, what)) for one in done) for what in ("norms", "matrices", "uncovered")
    ]
    yield (
        f"{len(done)} of {len(results)} models build: {counts[0]} of them decay parameters of norms, {counts[1]} spare "
        f"matrices, {counts[2]} leave trainable parameters out of the optimizer; {sum(bool(one.frozen) for one in done)} have"
        " parameters that are not trainable, which are in no group. What has two dimensions or more counts as a matrix,"
        " biases of experts among it."
    )
    yield ""
    yield "| model | class | parameters | norms decayed | matrices spared | left out | not trainable |"
    yield "| --- | --- | ---: | --- | --- | ---: | ---: |"
    yield from _rows([one for one in done if one.norms or one.matrices or one.uncovered])
    yield ""
    yield from _left_out([one for one in results if one.problem])


def _rows(results: Sequence[Audited]) -> Iterator[str]:
    """Yield a row for all models of a class that get the same."""
    alike: dict[tuple[Any, ...], list[Audited]] = {}
    for one in results:
        found = [tuple(name for name, _ in part) for part in (one.norms, one.matrices)]
        alike.setdefault((one.kind, *found, bool(one.uncovered), bool(one.frozen)), []).append(one)
    for same in alike.values():
        more = f" and {len(same) - 2} more" if len(same) > 2 else ""
        names = ", ".join(one.name for one in same[:2]) + more
        norms = _column([one.norms for one in same], lambda name: name.rpartition(".")[2])
        matrices = _column([one.matrices for one in same], lambda name: f"`{_escaped(name)}`")
        counts = [
            _range(values)
            for values in zip(
                *[(one.parameters, one.uncovered, one.frozen) for one in same], strict=True
            )
        ]
        yield f"| {names} | {same[0].kind} | {counts[0]} | {norms} | {matrices} | {counts[1]} | {counts[2]} |"


def _column(parts: Sequence[tuple[tuple[str, int], ...]], shown: Callable[[str], str]) -> str:
    names = [name for name, _ in parts[0]]
    return ", ".join(
        f"{_range(dict(part)[name] for part in parts)} {shown(name)}" for name in names
    )


def _range(values: Iterable[int]) -> str:
    found = sorted(set(values))
    if found == [0]:
        return ""
    return str(found[0]) if len(found) == 1 else f"{found[0]}–{found[-1]}"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


def _left_out(results: Sequence[Audited]) -> Iterator[str]:
    by_problem: dict[str, list[str]] = {}
    for one in results:
        by_problem.setdefault(one.problem, []).append(one.name)
    if by_problem:
        yield f"{len(results)} types are left out, since the library does not build them by themselves:"
        yield ""
    for problem, names in sorted(by_problem.items(), key=lambda item: -len(item[1])):
        yield f"- {problem}: {', '.join(names)}"
    yield ""


def classes(results: Sequence[Audited]) -> Iterator[str]:
    """Yield where each class of a norm that is decayed is defined."""
    import importlib

    for dotted in sorted({name for one in results for name, _ in one.norms}):
        home, _, name = dotted.rpartition(".")
        found = getattr(importlib.import_module(home), name)
        yield f"- `{name}`: {line_of(found, 'class ')}"


def transformers_part(every: int) -> Iterator[str]:
    """Yield the part of transformers' Trainer."""
    import transformers
    from transformers.trainer import Trainer
    from transformers.trainer_pt_utils import get_parameter_names

    results = list(sweep(list(transformers.CONFIG_MAPPING)[::every], "transformers"))
    causes = [
        f"`Trainer` decays what is in no `nn.LayerNorm` ({line_of(Trainer.get_decay_parameter_names, 'nn.LayerNorm]')})"
        f" and has none of these patterns in its lower-case name or a part of it that begins with one of its modules"
        f" ({line_of(Trainer.get_decay_parameter_names, 'forbidden_name_patterns = ')},"
        f" {line_of(get_parameter_names, 'pattern.search(f')}). A norm of another class is decayed where no pattern finds"
        " its name; a matrix is spared where one finds `bias` or `layernorm` in the name of a module around it.",
    ]
    yield from page(transformers, results, causes)
    yield "Norms that are decayed somewhere, and where their class is defined, which is no `nn.LayerNorm`:"
    yield ""
    yield from classes(results)
    yield ""
    _tell_time(results)


def timm_part(every: int) -> Iterator[str]:
    """Yield the part of timm's ``create_optimizer_v2``."""
    import timm
    from timm.optim import create_optimizer_v2, param_groups_weight_decay

    results = list(sweep(timm.list_models()[::every], "timm"))
    causes = [
        "`create_optimizer_v2` with a weight decay of 0.05 (its default is 0) and `filter_bias_and_bn`"
        f" ({line_of(create_optimizer_v2, 'filter_bias_and_bn: bool')}) spares what has one dimension or none, what is called"
        f" `.bias` ({line_of(param_groups_weight_decay, 'param.ndim <= 1')}), and what the model's own `no_weight_decay`"
        f" names ({line_of(param_groups_weight_decay, 'matches_pattern = ')}). A norm is decayed where its parameters have"
        " more dimensions.",
    ]
    yield from page(timm, results, causes)
    yield "Where classes of models declare names that get no weight decay:"
    yield ""
    declared: dict[str, set[str]] = {}
    for one in results:
        if one.matrices and one.declared:
            declared.setdefault(one.declared, set()).add(one.kind)
    for place, kinds in sorted(declared.items()):
        yield f"- {place}: {', '.join(sorted(kinds))}"
    yield ""
    yield from classes(results)
    _tell_time(results)


def _tell_time(results: Sequence[Audited]) -> None:
    building, planning = (sum(one.seconds[part] for one in results) for part in (0, 1))
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(
        f"building {building:.0f} s, planning {planning:.0f} s ({1 + planning / building:.2f} of building),"
        f" at most {peak:.0f} MB",
        file=sys.stderr,
    )


def main() -> None:
    """Print the page."""
    parser = argparse.ArgumentParser(prog="python -m tests.audit")
    parser.add_argument("--every", type=int, default=1)
    every = parser.parse_args().every
    print("# What default recipes decay\n")
    print("Made by `python -m tests.audit`; a row for each model in which something stands out.\n")
    for part in (transformers_part, timm_part):
        for line in part(every):
            print(line, flush=True)


if __name__ == "__main__":
    main()
