"""Entries with the right key and checksum and wrong contents, as somebody may make them up, are ignored."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from optplan.cache import Store
from optplan.cache.models import CachedModels
from optplan.cache.optimizers import CachedOptimizers
from optplan.facts import Inventory, OptimizerFacts, ParameterFacts
from tests.plan.forged import VALUES, forged, paths


def facts(name: str, **given: Any) -> ParameterFacts:
    values: dict[str, Any] = {"shape": (2, 3), "layer": 1, "layers": 3, **given}
    return ParameterFacts(
        name=name, prefix="", local=name, dtype="float32", requires_grad=True,
        module="torch.nn.modules.linear.Linear", tensor=len(name), **values,
    )  # fmt: skip


INVENTORY = Inventory(
    spec="tiny",
    source="timm",
    class_name="timm.models.tiny.Tiny",
    parameters=(facts("a"), facts("bb", shape=(), layer=None, layers=None)),
)


def body_of(store: Store) -> Any:
    (entry,) = store.entries()
    return json.loads(Path(entry.path).read_text("utf-8").split("\n", 2)[2])


def forge(store: Store, data: Any) -> None:
    """Put data in the place of the only entry, with its header and a checksum that fits."""
    (entry,) = store.entries()
    header = Path(entry.path).read_text("utf-8").split("\n", 1)[0]
    body = json.dumps(data)
    checksum = hashlib.sha256(body.encode()).hexdigest()
    Path(entry.path).write_text(f"{header}\n{checksum}\n{body}", "utf-8")


def test_models(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    models = CachedModels(store, {})
    models.put(INVENTORY, {})
    assert models.get("tiny", {}) == INVENTORY
    data, refused = body_of(store), 0
    for path in [(), *paths(data)]:
        for value in VALUES[1:]:
            forge(store, forged(data, path, value) if path else value)
            found = models.get("tiny", {})
            refused += found is None
            if found is not None:
                assert_same_types(found)
    assert refused > 500


def assert_same_types(found: Inventory) -> None:
    assert isinstance(found.source, str)
    assert isinstance(found.class_name, str)
    assert found.parameters
    for row in found.parameters:
        layered = row.layer is not None
        like = INVENTORY.parameters[0 if layered else 1]
        assert [type(one) for one in row] == [type(one) for one in like]
        assert all(type(size) is int and 0 <= size < 2**63 for size in row.shape)


DEFAULTS = {"lr": 0.1, "betas": (0.9, 0.999), "weight_decay": 0.0, "momentum": 0, "foreach": None}


def test_optimizers(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    cached = CachedOptimizers(store, {})
    made = OptimizerFacts(type_name="SGD", class_name="torch.optim.sgd.SGD", defaults=DEFAULTS)
    cached.put("SGD", made)
    assert cached.get("SGD") == made
    data, refused = body_of(store), 0
    for path in [(), *paths(data)]:
        for value in VALUES[1:]:
            forge(store, forged(data, path, value) if path else value)
            found = cached.get("SGD")
            refused += found is None
            if found is not None:
                assert isinstance(found.type_name, str)
                assert found.class_name == "torch.optim.sgd.SGD"
                assert_right(found.defaults)
    assert refused > 150


def assert_right(defaults: Any) -> None:
    for field in ("lr", "weight_decay", "momentum"):
        assert type(defaults.get(field)) in (int, float, type(None))
    assert all(type(beta) in (int, float) for beta in defaults.get("betas", (0.5,)))
    assert defaults.get("betas", (0.5,)) != ()
