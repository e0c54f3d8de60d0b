"""What models to take away are called in files."""

#: The best model within the budget.
BUDGET = "budget"


def model_name(network: str, recipe: str) -> str:
    """The model of a network at the knee of a recipe."""
    return f"{network}-{recipe}"
