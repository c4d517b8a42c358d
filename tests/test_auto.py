"""``method="auto"``: what it chooses, that it says so, and that its results keep their bounds."""

import numpy as np
import pytest
from test_exact import operands

import d2lconv as dc
from d2lconv.bench.fit import constants, fit
from d2lconv.bench.points import FIT, FULL
from d2lconv.binding import bind
from d2lconv.core import costs, operations, registry
from d2lconv.core.derivatives import Bilinear
from d2lconv.core.geometry import form
from d2lconv.core.manifest import Cost, Manifest
from d2lconv.parity import bounds, compare

TOY = Manifest(
    "toy",
    "Toy",
    (),
    costs=(
        Cost("exact", fixed=10.0, step=1.0, output=0.0, work=100.0),
        Cost("fft", fixed=100.0, step=0.0, output=0.0, work=10.0),
    ),
)


def explain(manifest, image, kernel):
    return costs.explain(manifest, form(image, kernel).geometry)


def test_the_model_chooses_by_size():
    assert explain(TOY, (6, 8), (1, 2)).method == "exact"
    assert explain(TOY, (512, 512), (31, 31)).method == "fft"
    explanation = explain(TOY, (512, 512), (31, 31))
    assert list(explanation.estimates) == ["fft", "exact"]
    assert explanation.estimates["fft"] == pytest.approx(100 + 10 * 512 * 512 * 18 / 1e6)
    assert str(explanation).startswith("fft in toy. Expected: fft 147 µs, exact ")


def test_exact_is_chosen_where_it_is_hardly_slower():
    manifest = Manifest(
        "toy", "Toy", (), costs=(Cost("fft", 100, 0, 0, 0), Cost("exact", 109, 0, 0, 0))
    )
    assert explain(manifest, (6, 8), (1, 2)).method == "exact"
    assert next(iter(explain(manifest, (6, 8), (1, 2)).estimates)) == "fft"


def test_a_backend_that_states_no_costs_is_exact():
    manifest = Manifest("toy", "Toy", ())
    assert explain(manifest, (512, 512), (31, 31)).method == "exact"
    assert "same bits" in str(explain(manifest, (512, 512), (31, 31)))


def test_costs_hold_up_to_a_kernel_and_an_image():
    up_to = Cost("native", 10, 0, 0, 0, (3, 400))
    manifest = Manifest(
        "toy", "Toy", (), costs=(up_to, Cost("native", 50, 0, 0, 0), Cost("exact", 30, 0, 0, 0))
    )
    assert explain(manifest, (20, 20), (3, 9)).method == "native"
    assert explain(manifest, (20, 20), (4, 4)).method == "exact"
    assert explain(manifest, (20, 21), (3, 3)).method == "exact"


def test_a_matrix_of_all_windows_is_for_small_images_alone():
    manifest = Manifest(
        "toy", "Toy", (), costs=(Cost("matmul", 1, 0, 0, 0), Cost("exact", 100, 0, 0, 0))
    )
    assert explain(manifest, (64, 64), (5, 5)).method == "matmul"
    assert list(explain(manifest, (224, 224), (3, 3)).estimates) == ["exact"]


def test_every_backend_states_costs_of_methods_that_it_has(backend):
    d2l = bind(backend)
    manifest = registry.load(backend).manifest
    methods = {cost.method for cost in manifest.costs}
    assert {"exact", "native", "banded"} <= methods <= set(costs.BOUNDS)
    for method in methods:
        d2l.corr2d([[1.0]], [[1.0]], method=method)
    for cost in manifest.costs:
        assert min(cost.fixed, cost.step, cost.output, cost.work) >= 0


@pytest.mark.parametrize("point", FULL[:7], ids=str)
def test_what_is_explained_is_what_is_done(backend, point, monkeypatch):
    d2l = bind(backend)
    methods = registry.load(backend).methods.METHODS
    X, K, _ = operands((point.image, point.kernel), "float32", "normal")
    called = []
    for name, method in methods.items():

        def noted(X, K, geometry, name=name, corr2d=method.corr2d):
            called.append(name)
            return corr2d(X, K, geometry)

        gradients = method.image_gradient, method.kernel_gradient
        monkeypatch.setitem(methods, name, Bilinear(noted, *gradients))
    monkeypatch.setattr(operations, "_plan", operations._plan.__wrapped__)  # nothing remembered
    d2l.corr2d(X, K, method="auto")
    assert set(called) == {d2l.explain(X, K).method}  # MXNet asks first for a program of it
    with dc.backend(backend):
        assert dc.explain(X, K) == d2l.explain(X, K)


@pytest.mark.parametrize("method", ["auto", "banded"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize(
    "shapes", [((40, 90), (5, 7)), ((70, 33), (9, 33)), ((224, 224), (11, 11))]
)
def test_results_keep_the_bound_of_their_own_method(backend, shapes, dtype, method):
    """Element by element, but for the Fourier transform, which has none of each element."""
    X, K, _ = operands(shapes, dtype, "normal")
    d2l = bind(backend)
    actual = d2l.to_numpy(d2l.corr2d(d2l.tensor(X), d2l.tensor(K), method=method))
    assert actual.dtype == dtype
    taken = d2l.explain(X, K).method if method == "auto" else method
    own = bounds.fft(X, K) if taken == "fft" else bounds.corr2d(X, K)
    bound, expected = own + bounds.corr2d(X, K), dc.numpy.corr2d(X, K)
    assert compare(actual, expected, bound=bound).verdict != "bug"
    actual = actual.copy()
    actual[0, 0] = expected[0, 0] + 1.1 * bound[0, 0]
    assert compare(actual, expected, bound=bound).verdict == "bug"


def test_auto_checks_its_input_as_the_others_do():
    with pytest.raises(dc.ShapeError, match="larger"):
        dc.explain([[1.0]], [[1.0, 2.0]])
    with pytest.raises(dc.ShapeError, match="larger"):
        dc.corr2d([[1.0]], [[1.0, 2.0]], method="auto")
    with pytest.raises(dc.DTypeError):
        dc.explain([["a"]], [[1.0]])


def test_constants_are_found_again():
    rng = np.random.default_rng(0)
    A = np.column_stack([np.ones(12), *rng.uniform(1, 1000, (3, 12))])
    wanted = np.array([5.0, 0.0, 0.25, 2.0])
    np.testing.assert_allclose(constants(A, A @ wanted), wanted, atol=1e-9)


def test_a_report_gives_the_costs_that_made_it():
    truth = Cost("banded", fixed=50.0, step=10.0, output=0.0, work=40.0)
    rows = [
        {
            "backend": "toy", "what": "forward", "method": "banded", "image": list(p.image),
            "kernel": list(p.kernel), "time": costs.estimate(truth, p.image, p.kernel) / 1e6,
        }
        for p in FULL
    ]  # fmt: skip
    assert fit({"rows": rows}, "toy") == [truth]


def test_costs_are_fitted_apart_where_they_hold_apart():
    small, large = (c for c in registry.manifests()["torch"][0].costs if c.method == "native")
    rows = [
        {
            "backend": "torch", "what": "forward", "method": "native", "image": list(p.image),
            "kernel": list(p.kernel), "time": (2 if small.holds(p.image, p.kernel) else 9) / 1e6,
        }
        for p in FIT
    ]  # fmt: skip
    found = fit({"rows": rows}, "torch")
    assert [(c.fixed, c.up_to) for c in found] == [(2, small.up_to), (9, large.up_to)]
