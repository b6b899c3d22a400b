"""Past forms of English verbs that no stemmer leads back: "bought" is asked for as "buy"."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["with_past_forms"]

_FORMS = """
buy bought; go went gone; eat ate eaten; see saw seen; do did done; get got gotten; make made
take took taken; give gave given; find found; meet met; tell told; say said; think thought
bring brought; teach taught; catch caught; write wrote written; drive drove driven; read
ride rode ridden; wear wore worn; break broke broken; speak spoke spoken; choose chose chosen
drink drank drunk; sing sang sung; swim swam swum; begin began begun; run ran; come came
become became; know knew known; grow grew grown; fly flew flown; draw drew drawn; throw threw
win won; lose lost; leave left; feel felt; keep kept; sleep slept; send sent; spend spent
build built; lend lent; sell sold; hold held; stand stood; understand understood; hear heard
pay paid; hurt; fall fell fallen; steal stole stolen; hide hid hidden; bite bit bitten
shake shook shaken; fight fought; lead led; feed fed; shoot shot; sit sat; wake woke woken
"""
_GROUPS = [group.split() for line in _FORMS.split("\n") for group in line.split(";") if group]
_SAME = {form: frozenset(group) for group in _GROUPS for form in group}


def with_past_forms(words: Iterable[str]) -> set[str]:
    """Return the words, in small letters, with the other forms of irregular verbs among them."""
    found = set(words)
    return found.union(*(_SAME.get(word, frozenset()) for word in found))
