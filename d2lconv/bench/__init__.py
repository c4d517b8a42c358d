"""Speed, measured side by side: every backend, method and size, as ratios of one run.

``d2lconv bench`` is the command; :mod:`d2lconv.bench.report` has what it calls and the form of
the report. A backend takes part if it has a module ``timing`` with

- ``wait(t)``, which returns when a tensor is computed, and
- ``convolution(X, K)``, which gives a call of the framework's own convolution.
"""
