"""The JAX backend, with Flax."""

from d2lconv.core.manifest import Cost, Deviation, Manifest, Release

manifest = Manifest(
    name="jax",
    framework="JAX",
    modules=("jax", "flax"),
    aliases=("flax",),
    type_roots=("jax", "jaxlib", "flax"),
    extra="jax",
    forks=False,  # its threads are not there, and it waits for them
    variables=("JAX_", "XLA_FLAGS"),
    releases=(Release("jax", "0.6", "0.10"), Release("flax", "0.10", "0.12")),
    deviations=(Deviation("values/subnormal", "XLA flushes subnormal numbers to zero"),),
    costs=(  # fitted by `d2lconv bench --fit`
        Cost("exact", fixed=16.7, step=0.426, output=306.0, work=58.5),
        Cost("native", fixed=12.4, step=0.0, output=42600.0, work=522.0),
        Cost("banded", fixed=5.96, step=11.0, output=4850.0, work=38.0),
        Cost("fft", fixed=61.1, step=0.0, output=11700.0, work=294.0),
    ),
)
