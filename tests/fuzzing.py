"""How many examples a property test draws, where it wants more or fewer than others."""

from hypothesis import settings

IN_CI = 25  # examples of a test that says nothing


def examples(count: int) -> settings:
    """So many in CI, and as many more with ``--hypothesis-profile=long`` as others draw there."""
    return settings(max_examples=count * settings().max_examples // IN_CI)
