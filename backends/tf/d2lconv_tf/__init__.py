"""The TensorFlow backend, with Keras 3."""

from d2lconv.core.manifest import Cost, Deviation, Manifest, Release

manifest = Manifest(
    name="tf",
    framework="TensorFlow",
    modules=("tensorflow", "keras"),
    aliases=("tensorflow", "keras"),
    type_roots=("tensorflow", "keras"),
    extra="tf",
    forks=False,  # its threads are not there, and it waits for them
    variables=("KERAS_BACKEND", "TF_XLA_FLAGS", "XLA_FLAGS"),
    releases=(Release("tensorflow", "2.20", "2.21"), Release("keras", "3", "3.15")),
    quiet=(("TF_CPP_MIN_LOG_LEVEL", "3"), ("TF_ENABLE_ONEDNN_OPTS", "0")),
    deviations=(
        Deviation("values/subnormal", "TensorFlow flushes subnormal numbers to zero"),
        Deviation(
            "own/pooling/*padding*",
            "Keras' pooling has no padding in numbers",
            raises="pooling in Keras has 'same' and 'valid'",
        ),
    ),
    costs=(  # fitted by `d2lconv bench --fit`
        Cost("exact", fixed=64.6, step=2.3, output=443.0, work=60.3),
        Cost("native", fixed=222.0, step=0.0, output=748.0, work=226.0),
        Cost("banded", fixed=173.0, step=72.0, output=5850.0, work=26.1),
        Cost("fft", fixed=175.0, step=0.0, output=14800.0, work=120.0),
    ),
)
