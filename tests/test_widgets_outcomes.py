"""Exercise 3 on the page: what happens in each framework is recorded, and judged as there."""

import re

import pytest
from answers import in_python
from chosen import CHOSEN
from javascript import judged

import d2lconv as dc
from d2lconv import UnknownBackend, widgets
from d2lconv.core import registry
from d2lconv.exercise.gradients import differentiate, recorded

WORDS = ["gradient", "It works.", "no error", "ok", "OK!", "broken", "undefined", "nothing", "none"]
WORDS += ["No gradient", "raises MXNetError", "in place", "it fails", "perhaps", "", "spoken", 7]
WORDS += [None, True, False, [[8, 12], [20, 24]], {}, (), 0.1, [], "caf\u00e9ok", "it's"]


def test_exercise_3_has_the_outcomes_of_each_framework(backend):
    given = {"framework": backend, "outcomes": widgets.pages.outcomes()}
    with dc.backend(backend):
        expected = [in_python("3", word) for word in WORDS]
        gradient = in_python("3", dc.numpy.tensor([[8, 12], [20, 24]]))
    assert judged("3", list(map(repr, WORDS)), **given) == expected
    assert judged("3", ["d2l.tensor([[8, 12], [20, 24]])"], **given) == [gradient]
    assert [right for right, _ in expected].count(True) > 1


@pytest.mark.together
def test_exercise_3_takes_a_dictionary_by_framework():
    kinds = ["gradient", "none", "error", None, True]
    aliases = {name: manifest.aliases for name, (manifest, _) in registry.manifests().items()}
    names = [alias for name in CHOSEN for alias in (name, name.upper(), *aliases[name])]
    answers = [{name: kind} for name in names for kind in kinds]
    answers += [{name: recorded()[name].kind for name in CHOSEN}, {"numpy": "perhaps"}]
    answers += [dict.fromkeys(names, kind) for kind in kinds]
    texts = [repr(answer) for answer in answers]
    found = judged("3", texts, outcomes=widgets.pages.outcomes())
    assert found == [in_python("3", answer) for answer in answers]
    assert found[len(names) * len(kinds)][0]


@pytest.mark.parametrize("key", ["foo", None, 1, (1, "a"), "it's"])
def test_exercise_3_decides_nothing_about_an_unknown_framework(key):
    with pytest.raises(UnknownBackend) as error:
        dc.check("3", {key: "error"})
    first, known = re.fullmatch(r"(.*?)(?:; did .*\?|\.) (Known: .*)", str(error.value)).groups()
    found = judged("3", [repr({key: "error"})], outcomes=widgets.pages.outcomes())
    assert found == [["Undecided", f"{first}. {known}"]]


def test_the_recorded_outcomes_are_what_happens(backend):
    assert recorded()[backend] == differentiate(backend)
    assert set(recorded()) == set(registry.manifests())
