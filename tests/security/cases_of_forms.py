"""The same in the other forms of configs: recipes of timm, JSON, YAML, TOML, bases."""

from __future__ import annotations

import json

from tests.security.cases import GOOD, SGD, Case, harmful_pickle, python_code

_RECIPE = "opt: sgd\nlr: 0.1\nweight_decay: 0.1\nmomentum: 0.9\nsched: cosine\nepochs: 10\n"


def recipe(name: str, lines: str, says: str | tuple[str, ...], **files: str | bytes) -> Case:
    """Return the case of a recipe of timm's."""
    files = {key.replace("__", "."): value for key, value in files.items()}
    return Case(name=name, text=f"{_RECIPE}{lines}\n", says=says, files=files, suffix=".yaml")


RECIPES = (
    recipe(
        "recipe_file",
        "model: evil_recipe.py:Net",
        "evil_recipe",
        evil_recipe__py=python_code("recipe_file"),
    ),
    recipe(
        "recipe_module", "model: os:system\nmodel_kwargs: {command: 'mkdir {token}'}", "os:system"
    ),
    recipe(
        "recipe_beside",
        "model: evil_recipe_module:Net",
        "evil_recipe_module",
        evil_recipe_module__py=python_code("recipe_beside"),
    ),
    recipe("recipe_slash", "model: /evil_recipe.py:Net", "evil_recipe"),
    recipe("recipe_hub", "model: hf_hub:{token}/net", "{token}"),
    recipe("recipe_local", "model: local-dir:/{token}", "{token}"),
    recipe("recipe_attribute", "model: torch.os:system", "system"),
    recipe(
        "recipe_checkpoint",
        "model: resnet10t\ninitial_checkpoint: a_recipe.pth\nresume: a_recipe.pth",
        "",
        a_recipe__pth=harmful_pickle("recipe_checkpoint"),
    ),
    recipe(
        "recipe_kwargs",
        "model: resnet10t\nmodel_kwargs: {norm_layer: 'os.system'}",
        ("resnet10t", "norm"),
    ),
    recipe(
        "recipe_kwargs_file",
        "model: resnet10t\nmodel_kwargs: {checkpoint_path: a_kwargs.pth}",
        "checkpoint",
        a_kwargs__pth=harmful_pickle("recipe_kwargs_file"),
    ),
    recipe("recipe_optimizer", "model: resnet10t\nopt: os.system", "system"),
)
_TYPED = {
    "model": {"type": "os.system", "command": "mkdir {token}"},
    "optim_wrapper": {"optimizer": {"type": "SGD", "lr": 0.1}},
}
_NET = {**_TYPED, "model": {"type": "dangerous_nets.nets.Shells", "command": "mkdir {token}"}}
FORMS = (
    Case(name="json_name", text=json.dumps(_TYPED), says="os.system", suffix=".json"),
    Case(name="json_net", text=json.dumps(_NET), says="Shells", suffix=".json"),
    Case(
        name="yaml_net",
        suffix=".yaml",
        says="Shells",
        text="model: {type: dangerous_nets.nets.Shells, command: mkdir {token}}\n"
        "optim_wrapper: {optimizer: {type: SGD, lr: 0.1}}\n",
    ),
    Case(
        name="yaml_tag",
        suffix=".yaml",
        says="tag",
        text="model: !!python/object/apply:os.system ['mkdir {token}']\n"
        "optim_wrapper: {optimizer: {type: SGD, lr: 0.1}}\n",
    ),
    Case(
        name="toml_net",
        suffix=".toml",
        says="Shells",
        text="[model]\ntype = 'dangerous_nets.nets.Shells'\ncommand = 'mkdir {token}'\n"
        "[optim_wrapper.optimizer]\ntype = 'SGD'\nlr = 0.1\n",
    ),
    Case(name="executed", text=f"import os\nos.mkdir('{{token}}')\n{GOOD}", says="mkdir"),
    Case(
        name="executed_late",
        text=f"{SGD}x = __import__('os').system('mkdir {{token}}')\n",
        says="__import__",
    ),
    Case(
        name="base_link",
        text=f"_base_ = ['linked.py']\n{SGD}",
        says="linked.py",
        files={"linked.py": "-> {outside}/q7x_key"},
    ),
    Case(
        name="base_link_yaml",
        text=f"_base_ = ['linked.yaml']\n{SGD}",
        says="linked.yaml",
        files={"linked.yaml": "-> {outside}/q7x_key"},
    ),
    Case(name="base_up", text=f"_base_ = ['../outside/q7x_key']\n{SGD}", says="q7x_key"),
    Case(
        name="base_model",
        text="_base_ = ['parts/base_of_net.py']\n" + SGD,
        says="Shells",
        files={
            "parts/base_of_net.py": "model = dict(type='dangerous_nets.nets.Shells', command='mkdir {token}')\n"
        },
    ),
)
SHARED = (*RECIPES, *FORMS)
