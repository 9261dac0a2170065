"""What each kind of sabotage does, and what the report must name."""

from __future__ import annotations

from tests.verify.sabotage.kind import Kind, family
from tests.verify.sabotage.optimizers import OPTIMIZERS

FUNCTIONS = family(
    "functions",
    {
        "drops_one": ("one parameter is left out where it has memory", "conv.bias", "first.bias"),
        "moves_one": ("one is in another group where it has memory", "first.bias", "second.bias"),
        "exchanges_two": ("two groups' decay is exchanged", "weight_decay first.weight", ""),
        "other_lr_each_time": ("another lr in each call", "lr", ""),
        "reorders_groups": (
            "groups in another order where it has memory",
            "group first.weight",
            "",
        ),
        "changes_values": ("values are set to 0", "norm.weight", "first.weight"),
        "changes_buffer": ("a buffer is changed", "seen", "first.weight"),
        "replaces_parameter": ("a parameter is replaced", "second.weight", "first.weight"),
    },
)
HOOKS = family(
    "hooks",
    {
        "before_step": ("a hook before the step doubles a gradient", "conv.weight hook", ""),
        "after_step": ("a hook after the step shrinks flat tensors", "first.bias hook", ""),
        "saved_by_halves": ("a hook drops state when saved", "embed.weight hook", ""),
        "after_load": ("a hook sets the lr when loaded", "lr hook", ""),
        "on_all_optimizers": ("a hook of all optimizers shrinks tensors", "first.bias hook", ""),
        "step_replaced": ("the instance has another step", "first.bias", "first.weight"),
        "step_of_class_replaced": ("torch's class has another step", "first.bias", "first.weight"),
        "class_exchanged": ("the instance has another class", "first.weight", ""),
        "of_the_same_name": ("a class that has SGD's name", "first.weight", ""),
        "group_taken_apart": ("only a group's first is decayed", "first.weight", "first.bias"),
    },
)
CONSTRUCTORS = family(
    "constructors",
    {
        "OtherDecay": ("one decay differs with memory", "weight_decay norm.bias", "norm.weight"),
        "Leaves": ("a group is left out with memory", "head.bias", "first.bias"),
        "Exchanges": ("two groups' members are exchanged", "norm.weight conv.bias", "first.bias"),
        "Initializes": ("values are set", "conv.bias", "first.weight"),
        "Replaces": ("the instance has another step", "first.bias", "first.weight"),
        "Subclasses": ("a derived class ignores one decay", "conv.weight", "first.weight"),
        "Rescales": ("every lr is halved with memory", "lr first.weight", ""),
    },
)
CLOSURES = family(
    "closures",
    {
        "called_twice": ("the closure is called twice", "closure", ""),
        "never_called": ("the closure is not called", "closure", ""),
        "called_afterwards": ("the closure is called after the step", "closure", ""),
        "loss_dropped": ("the closure's loss is not returned", "closure", ""),
    },
)
PLANS = family(
    "plans",
    {
        "other_lr": ("a group's lr", "lr first.bias", "first.weight"),
        "other_decay": ("a group's decay", "weight_decay first.weight", "first.bias"),
        "other_betas": ("a group's betas", "betas first.bias", "first.weight"),
        "other_eps": ("a group's eps", "eps first.weight", "first.bias"),
        "amsgrad_on": ("a group's amsgrad", "amsgrad first.bias", "first.weight"),
        "maximize_on": ("a group's maximize", "maximize first.bias", "first.weight"),
        "entry_lost": ("an entry of a group is gone", "lr_scale first.weight", "first.bias"),
        "entry_changed": ("an entry of a group", "lr_scale first.weight", "first.bias"),
        "entry_added": ("an entry that the plan lacks", "lr_scale first.bias", "first.weight"),
        "order_changed": ("groups in another order", "group first.weight", ""),
        "parameter_moved": ("a parameter in another group", "first.bias", "second.bias"),
        "parameter_dropped": ("a parameter in no group", "head.bias", "first.bias"),
        "group_split": ("a group made two", "norm.bias", "first.weight"),
        "other_class": ("another class", "optimizer", ""),
        "one_frozen": ("a parameter is frozen", "conv.weight", "first.weight"),
        "two_optimizers": ("an optimizer for each group", "optimizers", ""),
    },
    plan="planned",
)
# a model may be changed with good reason, but not in silence
CHANGES = tuple(
    Kind(
        target=f"functions.{name}",
        meaning=meaning,
        names=names,
        spared=("first.bias",),
        model=model,
        statuses=statuses,
    )
    for name, meaning, names, model, statuses in (
        ("freezes_one", "a parameter is frozen", ("conv.weight",), "Net", (0, 1)),
        ("thaws_one", "a frozen parameter is thawed", ("first.weight",), "PartlyFrozen", (0, 1)),
        ("halves_dtype", "a layer gets another dtype", ("head.weight",), "Net", (0, 1)),
        ("unties", "tied weights are parted", ("head.weight",), "Tied", (1, 2)),
        ("ties", "two weights are tied", ("second.weight",), "Net", (1, 2)),
    )
)
# they act on gradients and values that the optimizer is given, not on its steps
HOOKED = tuple(
    Kind(
        target=target,
        meaning=meaning,
        names=(*names.split(), "hook"),
        spared=("first.weight",),
        model=model,
        statuses=(0, 1),
    )
    for target, meaning, names, model in (
        ("constructors.Hooks", "a constructor halves a gradient", "second.weight", "Net"),
        ("hooks.on_gradient", "a gradient is doubled", "second.weight", "Net"),
        ("hooks.after_accumulation", "a gradient is doubled once it is there", "norm.bias", "Net"),
        ("hooks.on_forward", "an output is doubled", "conv", "Net"),
        ("hooks.before_forward", "an input is doubled", "norm", "Net"),
        ("hooks.on_backward", "a gradient of the input is replaced", "head", "Net"),
        (
            "hooks.none",
            "the model's own hook doubles a gradient",
            "second.weight",
            "ScaledGradient",
        ),
        ("hooks.none", "the model's own hook replaces an output", "conv", "ForwardHook"),
        ("hooks.none", "the model's own hook changes values", "norm", "ForwardPreHook"),
        ("hooks.none", "the model's own hook sees gradients", "head", "BackwardHook"),
    )
)

KINDS = (
    *OPTIMIZERS,
    *FUNCTIONS,
    *HOOKS,
    *CONSTRUCTORS,
    *CLOSURES,
    *PLANS,
    *CHANGES,
    *HOOKED,
)
