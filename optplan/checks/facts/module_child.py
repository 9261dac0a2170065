"""What is dropped where the model has a child called ``module``."""

from __future__ import annotations

from optplan.facts import Inventory, ParameterFacts


def outside_module(inventory: Inventory) -> list[ParameterFacts]:
    """Return the trainable tensors that constructors drop, as the model has an attribute ``module``."""
    visited = [facts for facts in inventory.parameters if facts.visited]
    if not visited or visited[0].walked_name == visited[0].name:
        return []
    root = visited[0].name.removesuffix(visited[0].walked_name)
    return [
        facts
        for facts in inventory.primary_names.values()
        if facts.requires_grad and not facts.visited and not facts.name.startswith(root)
    ]
