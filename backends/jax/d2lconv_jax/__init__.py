"""The JAX backend, with Flax."""

from d2lconv.manifest import Deviation, Manifest

manifest = Manifest(
    name="jax",
    framework="JAX",
    modules=("jax", "flax"),
    aliases=("flax",),
    type_roots=("jax", "jaxlib", "flax"),
    extra="jax",
    deviations=(Deviation("values/subnormal", "XLA flushes subnormal numbers to zero"),),
)
