"""How far two results are apart, and what that means."""

from d2lconv.parity.ulp import same_bits, ulp_distance

__all__ = ["same_bits", "ulp_distance"]
