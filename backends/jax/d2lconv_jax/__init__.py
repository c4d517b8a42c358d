"""The JAX backend, with Flax."""

from d2lconv.manifest import Deviation, Manifest, Release

manifest = Manifest(
    name="jax",
    framework="JAX",
    modules=("jax", "flax"),
    aliases=("flax",),
    type_roots=("jax", "jaxlib", "flax"),
    extra="jax",
    forks=False,  # its threads are not there, and it waits for them
    releases=(Release("jax", "0.4.34", "0.10"), Release("flax", "0.10", "0.12")),
    deviations=(Deviation("values/subnormal", "XLA flushes subnormal numbers to zero"),),
)
