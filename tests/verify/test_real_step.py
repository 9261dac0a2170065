"""One batch through the model, and what it tells."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn

from optplan.errors import UsageError, VerifyError
from optplan.verify.inputs import InputShape, parse_inputs
from optplan.verify.results import NoRealStep, RealStep
from tests.verify.given import Cnn, config, source, verified

IMAGES = (InputShape(shape=(2, 3, 8, 8)),)


def step_of(model: type[nn.Module], made: Any = None, **terms: Any) -> RealStep:
    found = verified(
        source(model, made or config()), **{"forward": None, "inputs": IMAGES, **terms}
    )
    assert isinstance(found.step, RealStep)
    return found.step


class Frozen(Cnn):
    """A frozen stem with its norm, and a norm without parameters inside another frozen part."""

    def __init__(self) -> None:
        super().__init__()
        self.frozen = nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3, affine=False))
        self.frozen.requires_grad_(False)
        self.norm.requires_grad_(False)

    def forward(self, image: Tensor) -> Tensor:
        out: Tensor = super().forward(self.frozen(image))
        return out


class Unused(Cnn):
    """A layer that the forward leaves out, and one whose result is thrown away."""

    def __init__(self) -> None:
        super().__init__()
        self.spare = nn.Linear(2, 2)

    def forward(self, image: Tensor) -> Tensor:
        out: Tensor = super().forward(image)
        return out + 0 * self.norm.weight.sum()


def test_statistics_of_frozen_parts_move() -> None:
    found = step_of(Frozen)
    assert found.changed_buffers == (
        "norm.running_mean",
        "norm.running_var",
        "norm.num_batches_tracked",
        "frozen.1.running_mean",
        "frozen.1.running_var",
        "frozen.1.num_batches_tracked",
    )
    assert found.changed_parameters == ()
    assert found.without_gradient == ()


def test_statistics_of_parts_with_lr_0_move() -> None:
    made = config(paramwise={"custom_keys": {"norm": {"lr_mult": 0.0}}})
    found = step_of(Cnn, made)
    assert found.changed_buffers == (
        "norm.running_mean",
        "norm.running_var",
        "norm.num_batches_tracked",
    )


def test_parameters_without_gradient() -> None:
    found = step_of(Unused)
    assert found.without_gradient == ("spare.weight", "spare.bias")
    assert found.changed_buffers == ()
    assert found.loss > 0


class MovesAll(torch.optim.SGD):
    """Decays also what has lr 0."""

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        for group in self.param_groups:
            for one in group["params"]:
                one.mul_(0.99)
        return super().step(closure)


def test_a_parameter_that_changes_despite_lr_0_is_a_mismatch() -> None:
    found = verified(source(Cnn, config(MovesAll)), forward=True, inputs=IMAGES)
    assert isinstance(found.step, RealStep)
    assert found.step.changed_parameters == ("stem.weight", "stem.bias")
    assert not found.matches


def test_a_gradient_that_is_too_small_to_move_anything() -> None:
    made = config("SGD", {}, lr=1e-12, weight_decay=None)
    found = step_of(Cnn, made)
    assert "norm.weight" in found.unmoved
    assert set(found.unmoved) <= {name for name, _ in Cnn().named_parameters()}


def test_autocast() -> None:
    assert step_of(Cnn, amp=True).amp == "bfloat16"
    assert step_of(Cnn).amp is None


class Timm(Cnn):
    """Says itself what it takes, as timm's models do."""

    default_cfg: ClassVar = {"input_size": (3, 6, 6)}


def test_timm_knows_the_input() -> None:
    assert step_of(Timm, inputs=()).inputs == ((2, 3, 6, 6),)
    assert step_of(Timm).inputs == ((2, 3, 8, 8),)  # the user knows better


def test_words_are_those_that_the_embedding_knows() -> None:
    class Words(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.words = nn.Embedding(3, 4)
            self.head = nn.Linear(4, 2)

        def forward(self, words: Tensor) -> dict[str, Tensor]:
            assert 0 <= int(words.min()) <= int(words.max()) < 3
            return {"scores": self.head(self.words(words))}

    found = step_of(Words, inputs=parse_inputs(["4x16:int64"]))
    assert found.inputs == ((4, 16),)
    assert found.without_gradient == ()


def test_no_input_is_known() -> None:
    found = verified(source(Cnn, config()), forward=None)
    assert found.step == NoRealStep(
        reason="left out, the input is not known: give it as --input 2x3x224x224"
    )
    with pytest.raises(UsageError, match="shape of the model's input is not known"):
        verified(source(Cnn, config()), forward=True)


class Raises(Cnn):
    """Its forward raises."""

    def forward(self, image: Tensor) -> Tensor:
        raise ValueError("no such image")


def test_a_forward_that_raises() -> None:
    with pytest.raises(VerifyError, match=r"ValueError: no such image \(.*test_real_step.py:\d+\)"):
        verified(source(Raises, config()), forward=True, inputs=IMAGES)


class Hungry(Cnn):
    """Asks for more memory than there is."""

    def forward(self, image: Tensor) -> Tensor:
        return torch.empty(1 << 50)


def test_a_forward_that_runs_out_of_memory() -> None:
    with pytest.raises(VerifyError, match="not enough memory on cpu for the model and a training"):
        verified(source(Hungry, config()), forward=True, inputs=IMAGES)


class Silent(Cnn):
    """Gives nothing back."""

    def forward(self, image: Tensor) -> None:  # type: ignore[override]
        super().forward(image)


def test_a_forward_that_gives_nothing_to_descend() -> None:
    with pytest.raises(VerifyError, match="gives nothing that a backward could start from"):
        verified(source(Silent, config()), forward=True, inputs=IMAGES)


@pytest.mark.parametrize("word", ["", "2x", "x3", "2x3:int9", "2*3", "-1x3"])
def test_words_that_are_no_shapes(word: str) -> None:
    with pytest.raises(UsageError, match="--input"):
        parse_inputs([word])
