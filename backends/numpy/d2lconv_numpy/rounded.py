"""The correctly rounded result in NumPy: the shared code, which is NumPy's."""

from d2lconv.core.derivatives import Operation, Rule


def on_host(function: Operation, shape: Rule) -> Operation:
    """A function of arrays on the host, which are NumPy's anyway."""
    return function
