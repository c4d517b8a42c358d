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
        Cost("exact", fixed=28.4, step=1.8, output=1410.0, work=290.0),
        Cost("native", fixed=20.6, step=0.0, output=54700.0, work=546.0),
        Cost("banded", fixed=20.4, step=16.2, output=7480.0, work=44.0),
        Cost("fft", fixed=126.0, step=0.0, output=6930.0, work=836.0),
    ),
)
