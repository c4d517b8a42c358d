"""The TensorFlow backend, with Keras 3."""

from d2lconv.manifest import Manifest

manifest = Manifest(
    name="tf",
    framework="TensorFlow",
    modules=("tensorflow", "keras"),
    aliases=("tensorflow", "keras"),
    type_roots=("tensorflow", "keras"),
    extra="tf",
)
