"""The JAX backend, with Flax."""

from d2lconv.manifest import Cost, Deviation, Manifest, Release

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
    costs=(  # fitted by `d2lconv bench --fit`
        Cost("exact", fixed=24.0, step=0.771, output=482.0, work=233.0),
        Cost("native", fixed=22.9, step=0.0, output=31300.0, work=425.0),
        Cost("banded", fixed=18.6, step=8.03, output=3640.0, work=36.4),
        Cost("fft", fixed=58.1, step=0.0, output=0.0, work=804.0),
    ),
)
