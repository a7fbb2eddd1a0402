"""A view of the attention explorer as JSON, to share and for presets: the text, and what is chosen, filtered and hidden."""

import json
from collections.abc import Callable, Mapping
from typing import Any

START = {
    "kind": 0,
    "layer": 0,
    "head": 0,
    "query": None,  # None: the last position
    "key": None,  # None: the one looked at most
    "pinned": False,
    "sampling": {"temperature": 1, "top_k": None, "top_p": None, "min_p": None},
    "filter": {"by": "none", "value": 1},
    "hide": [],
    "large": False,
    "open": [],  # the experiments that are unfolded
    "off": [],  # heads that are switched off: attention, layer, head
    "instead": "zero",  # what they then fetch
    "mix": "mean",  # of all heads in one picture
}
KNOWN = {"text", "causal_mask", "step", *START}
FILTERS = ("none", "threshold", "top_k", "mass")
PARTS = ("ablation", "lens", "labels", "mix", "steps")


def _number(low: float, high: float = float("inf"), whole: bool = False) -> Callable[[Any], bool]:
    kinds = (int,) if whole else (int, float)
    return lambda x: isinstance(x, kinds) and not isinstance(x, bool) and low <= x <= high


def _or_none(test: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda x: x is None or test(x)


def _is_place(numbers: Any) -> bool:
    return len(numbers) == 3 and all(map(PLACE, numbers))


PLACE, SHARE, TRUTH = _number(0, whole=True), _number(0, 1), (lambda x: isinstance(x, bool))
RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "text": (lambda x: isinstance(x, str), "a text"),
    "causal_mask": (TRUTH, "true or false"),
    "kind": (PLACE, "a whole number from 0"),
    "layer": (PLACE, "a whole number from 0"),
    "head": (PLACE, "a whole number from 0"),
    "query": (_or_none(PLACE), "a whole number from 0, or null for the last position"),
    "key": (_or_none(PLACE), "a whole number from 0, or null for the one looked at most"),
    "pinned": (TRUTH, "true or false"),
    "large": (TRUTH, "true or false"),
    "step": (_or_none(lambda x: isinstance(x, int)), "a whole number, or null for the model as it is"),
    "open": (lambda x: isinstance(x, list) and all(each in PARTS for each in x), f"a list of {', '.join(PARTS)}"),
    "off": (
        lambda x: isinstance(x, list) and all(isinstance(head, (list, tuple)) and _is_place(head) for head in x),
        "a list of heads, each [attention, layer, head]",
    ),
    "instead": (lambda x: x in ("zero", "mean"), "zero or mean"),
    "mix": (lambda x: x in ("mean", "rollout"), "mean or rollout"),
    "hide": (
        lambda x: isinstance(x, list) and all(each in ("weights", "next") for each in x),
        'a list of "weights" and "next"',
    ),
    "sampling": (lambda x: isinstance(x, dict) and set(x) <= set(START["sampling"]), "temperature, top_k, top_p, min_p"),
    "filter": (
        lambda x: isinstance(x, dict) and set(x) == {"by", "value"} and x["by"] in FILTERS and _number(0)(x["value"]),
        f"by (one of {', '.join(FILTERS)}) and value",
    ),
}
SAMPLING = {
    "temperature": _number(0, 100),
    "top_k": _or_none(_number(1, whole=True)),
    "top_p": _or_none(lambda p: SHARE(p) and p > 0),
    "min_p": _or_none(lambda p: SHARE(p) and p > 0),
}


def checked(given: str | Mapping[str, Any]) -> dict[str, Any]:
    """A view from JSON or from a mapping, `sampling` complete; what it does not name is left out.

    Raises ValueError for what is no view, an unknown name, or an impossible value.
    """
    try:
        view = json.loads(given) if isinstance(given, str) else dict(given)
    except (TypeError, ValueError):
        view = None
    if not isinstance(view, dict):
        raise ValueError(f"a view is a JSON object or a dict, such as {{'layer': 1, 'head': 0}}; got {str(given)[:40]!r}")
    if unknown := [name for name in view if name not in KNOWN]:
        raise ValueError(f"a view has no {unknown[0]!r}, only {', '.join(sorted(KNOWN))}")
    for name, value in view.items():
        test, expected = RULES[name]
        if not test(value):
            raise ValueError(f"{name} of a view must be {expected}, got {value!r}")
    for name, value in view.get("sampling", {}).items():
        if not SAMPLING[name](value):
            raise ValueError(f"{name} of a view cannot be {value!r}")
    return view | ({"sampling": START["sampling"] | view["sampling"]} if "sampling" in view else {})


def started(given: Mapping[str, Any]) -> dict[str, Any]:
    """All that a view has but text and mask: as given, else as at the start; at the start for what cannot be."""
    try:
        known = checked({name: given[name] for name in START if name in given})
    except ValueError:
        known = {}
    return START | known
