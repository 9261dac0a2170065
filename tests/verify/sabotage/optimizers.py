"""What each optimizer here does, and what the report must name."""

from __future__ import annotations

from tests.verify.sabotage.kind import family

DECAY = family(
    "decay",
    {
        "ignored_on_flat": (
            "flat tensors are not decayed",
            "first.bias norm.weight",
            "embed.weight",
        ),
        "ignored_on_flat_by_torch": ("the same, of torch's AdamW", "first.bias", "conv.weight"),
        "put_on_flat": ("flat tensors of a group without decay are", "norm.bias", "first.weight"),
        "coupled_for_one": ("one tensor's decay is coupled", "conv.weight", "first.weight"),
        "decoupled_for_one": ("one tensor's decay is decoupled", "conv.weight", "head.weight"),
        "of_first_group": (
            "the first group's decay is taken for all",
            "first.bias",
            "first.weight",
        ),
        "of_defaults": ("the class's decay is taken for the group's", "first.bias", ""),
        "times_lr_twice": ("decay is multiplied by lr twice", "first.weight", "first.bias"),
        "every_second_step": ("only odd steps decay", "first.weight", "first.bias"),
        "towards_start": ("decays towards the first values", "conv.weight", "first.weight"),
        "bounded": ("decay above a bound is cut", "embed.weight", "norm.weight"),
        "ignored_on_tall": ("more rows than columns: no decay", "embed.weight", "first.weight"),
        "after_the_move": ("decay acts on the moved value", "conv.weight", "second.weight"),
    },
)
STATE = family(
    "state",
    {
        "shared_by_shape": ("one momentum for a shape", "second.weight second.bias", "conv.weight"),
        "shared_moments": ("one second moment for a shape", "second.weight", "conv.weight"),
        "shared_count": ("all tensors count as steps", "first.weight", ""),
        "kept_on_class": ("the momentum is kept on the class", "first.weight", ""),
        "not_restored": ("load_state_dict drops the momentum", "first.weight", ""),
        "count_not_restored": ("load_state_dict begins to count anew", "first.weight", ""),
        "one_not_restored": ("one second moment is lost when loaded", "conv.weight", "head.weight"),
        "swapped_when_restored": (
            "two tensors' state is exchanged when loaded",
            "first.weight second.weight",
            "head.weight",
        ),
        "one_not_saved": ("one tensor's state is not saved", "embed.weight", "first.weight"),
        "lr_not_restored": ("a loaded lr is ignored", "lr", ""),
        "dropped": ("the momentum is dropped before each step", "first.weight", ""),
        "dropped_for_flat": ("the same for flat tensors", "first.bias", "first.weight"),
    },
)
LOOPS = family(
    "loops",
    {
        "ends_one_early": (
            "each group's last is left out",
            "head.weight head.bias",
            "first.weight",
        ),
        "ends_one_early_if_several": (
            "the same, but not alone",
            "head.weight head.bias",
            "first.weight",
        ),
        "starts_one_late": ("each group's first is left out", "embed.weight scale", "first.weight"),
        "last_group_left_out": ("the last group is left out", "first.bias", "first.weight"),
        "at_most_eight": ("tensors after the eighth are left out", "conv.bias", "first.weight"),
        "stops_at_none": ("returns at the first tensor without gradient", "head.weight", ""),
        "forgets_after_none": ("a tensor without gradient clears all momentum", "head.weight", ""),
        "one_twice": ("each group's last is stepped twice", "head.weight head.bias", "first.bias"),
        "exchanged_gradients": (
            "two tensors get each other's gradient",
            "first.weight second.weight",
            "conv.weight",
        ),
        "scalars_left_out": ("a tensor without dimensions is left out", "scale", "first.weight"),
    },
    stops_at_none="Matrices",
    forgets_after_none="Matrices",
)
SEVERAL = family(
    "several",
    {
        "second_twice_as_fast": ("the second tensor moves twice as far", "embed.weight", "scale"),
        "many_decayed": ("with several tensors all are decayed alike", "first.bias", ""),
        "wrong_foreach": ("foreach turns one gradient around", "conv.weight", "first.weight"),
        "wrong_fused": ("fused moves further", "first.weight", ""),
        "stacked_in_wrong_order": (
            "updates within a shape are exchanged",
            "first.weight second.weight",
            "conv.weight",
        ),
        "lr_of_last_group": ("all groups get the last lr", "first.weight", "first.bias"),
        "lr_of_first_group": ("all groups get the first lr", "first.bias", "first.weight"),
        "hidden_clipping": ("gradients are clipped together", "first.weight", ""),
        "twenty_at_most": (
            "tensors after the twentieth are left out",
            "layers.10.weight layers.11.bias",
            "layers.3.weight",
        ),
    },
    twenty_at_most="Deep",
)
SIZES = family(
    "sizes",
    {
        "large_not_decayed": ("large tensors are not decayed", "large.weight", "first.weight"),
        "one_block": ("only 65,536 elements are updated", "large.weight", "first.weight"),
        "large_scaled": ("large gradients are rounded and scaled", "large.weight", "first.weight"),
        "one_element_of_large": (
            "a large tensor's last element stays",
            "large.weight",
            "head.bias",
        ),
        "small_left_out": ("tensors of four elements stay", "conv.bias", "first.bias"),
        "odd_element": ("the last of an odd number stays", "head.bias", "first.bias"),
        "square_transposed": (
            "square matrices get their update transposed",
            "first.weight second.weight",
            "head.weight",
        ),
        "one_element": ("one element moves a hundredth further", "conv.weight", "first.weight"),
        "last_row": ("the last row of tables stays", "embed.weight head.weight", "first.weight"),
        "negative_not_decayed": ("negative elements keep", "conv.weight", "first.weight"),
        "small_gradients_ignored": ("small gradients count as 0", "conv.weight", "first.weight"),
    },
    large_not_decayed="Wide",
    one_block="Wide",
    large_scaled="Wide",
    one_element_of_large="Wide",
)
STEPS = family(
    "steps",
    {
        "no_decay_from_third": ("no decay from the third step", "first.weight", "first.bias"),
        "halved_from_fourth": ("half the lr from the fourth step", "first.weight", ""),
        "hidden_schedule": ("the lr falls by a tenth in each step", "first.weight", ""),
        "hidden_warm_up": ("gradients grow for three steps", "first.weight", ""),
        "every_third_skipped": ("the third step does nothing", "first.weight", ""),
        "first_skipped": ("the first step does nothing", "first.weight", ""),
        "pulled_back": ("the fourth step goes half the way back", "conv.weight", "first.weight"),
        "momentum_for_two_steps": ("the average begins anew", "first.bias", "first.weight"),
    },
)
VALUES = family(
    "values",
    {
        "maximize_ignored": ("maximize is ignored", "first.weight", ""),
        "maximize_ignored_on_flat": ("the same for flat tensors", "first.bias", "first.weight"),
        "nesterov_ignored": ("nesterov is ignored", "first.weight", ""),
        "dampening_ignored": ("dampening is ignored", "first.weight", ""),
        "betas_swapped": ("the betas are exchanged", "first.weight", ""),
        "eps_within_root": ("eps is added below the root", "first.bias", "first.weight"),
        "eps_and_beta_exchanged": ("eps and beta2 are exchanged", "conv.weight", "first.weight"),
        "amsgrad_ignored": ("amsgrad is ignored", "first.weight", ""),
        "betas_of_defaults": ("a group's betas are ignored", "first.bias", "first.weight"),
        "momentum_of_defaults": ("a group's momentum is ignored", "first.bias", "first.weight"),
        "capped_lr": ("an lr above a bound is cut", "first.bias", "first.weight"),
        "small_lr_is_zero": ("an lr below a bound counts as 0", "first.bias", "first.weight"),
        "rounded_lr": ("the lr is rounded, also when it is changed", "first.bias", ""),
        "lr_read_once": ("a later lr has no effect", "first.weight", ""),
        "lr_one_step_late": ("a later lr acts a step late", "first.weight", ""),
        "decay_of_first_lr": ("decay keeps to the first lr", "first.weight", "first.bias"),
    },
)
GROUPS = family(
    "groups",
    {
        "copied": ("steps by copies made at the first step", "first.weight", ""),
        "copied_when_made": ("steps by copies made at construction", "first.weight", ""),
        "shown_are_copies": ("shows copies of its groups", "first.weight", ""),
        "lr_set_back": ("a step sets the groups' lr", "first.weight", ""),
        "lr_decays_itself": ("a step multiplies the groups' lr", "first.weight", ""),
        "loses_member": ("a step takes members out of groups", "head.weight head.bias", ""),
        "values_exchanged": ("groups get each other's decay", "first.weight first.bias", ""),
    },
)
GRADIENTS = family(
    "gradients",
    {
        "zero_skipped": ("a gradient of 0 is skipped", "first.weight first.bias", ""),
        "zero_elements_skipped": ("elements without gradient stay", "conv.weight", "first.weight"),
        "small_skipped": ("small gradients of matrices are skipped", "first.weight", "first.bias"),
        "changed_by_a_step": ("a step halves a gradient", "gradient conv.weight", "first.weight"),
        "left_by_the_constructor": ("a gradient is there at first", "head.weight", "first.weight"),
        "never_cleared": ("zero_grad does nothing", "zero_grad first.weight", ""),
        "cleared_in_part": ("zero_grad clears one group", "zero_grad first.bias", "first.weight"),
        "clipped_by_a_hook": ("a hook clips before the step", "first.weight hook", ""),
    },
)
CASES = family(
    "cases",
    {
        "decays_twice_once_loaded": ("decays twice once loaded", "first.weight", "first.bias"),
        "key_not_saved": ("the second moment is not saved", "first.weight", ""),
        "loaded_backwards": (
            "states of a shape are loaded backwards",
            "first.bias norm.bias",
            "first.weight",
        ),
        "clamped_from_eleventh": ("clamps gradients from the 11th step", "scale", ""),
        "lr_halved_at_first": ("the first step halves a group's lr", "lr first.bias", ""),
        "option_overwritten": ("each step writes alpha", "alpha first.weight", ""),
        "betas_swapped_for_a_shape": (
            "one shape's betas are exchanged",
            "embed.weight head.weight",
            "first.weight",
        ),
        "one_element_shrinks": ("a tensor of one element shrinks", "scale", "first.weight"),
        "strided_climbs": ("a tensor that is not contiguous climbs", "turned", "first.weight"),
        "no_momentum_for_small_lr": ("a small lr has no momentum", "first.bias", ""),
        "each_clipped": ("each gradient is clipped", "embed.weight first.bias", ""),
        "dropped_when_added": ("a new group loses its last", "head.weight head.bias", "scale"),
        "copied_member": ("a copy stands in a group", "norm.bias", "first.bias"),
        "data_replaced": ("other values", "second.bias", "first.weight"),
    },
    strided_climbs="Strided",
)

OPTIMIZERS = (
    *DECAY,
    *STATE,
    *LOOPS,
    *SEVERAL,
    *SIZES,
    *STEPS,
    *VALUES,
    *GROUPS,
    *GRADIENTS,
    *CASES,
)
