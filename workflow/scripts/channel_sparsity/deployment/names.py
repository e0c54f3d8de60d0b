"""What models to take away are called in files."""

#: The best model within the budget.
BUDGET = "budget"


def name_of(network: str, recipe: str) -> str:
    """The model of a network at the knee of a recipe."""
    return f"{network}-{recipe}"
