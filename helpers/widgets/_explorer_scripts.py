"""The attention explorer's scripts: the one that every page gets, and a second one for what is measured on demand."""

import hashlib
import re
from collections.abc import Iterator

from helpers.widgets._base import script, scripts

# The panels of what is measured on demand: a second module, which a page gets when it opens the first of them.
EXPERIMENTS = scripts(
    "base.js",
    "canvas.js",
    "attention_explorer_data.js",
    "attention_explorer_controls.js",
    "attention_experiments.js",
    "attention_experiments_ablation.js",
    "attention_experiments_lens.js",
    "attention_experiments_labels.js",
    "attention_experiments_mix.js",
    "attention_experiments_steps.js",
)


# Strings and regular expressions stay as they are; so do templates, which may hold code that holds templates.
WHOLE = re.compile(r'"(?:\\.|[^"\\\n])*"|(?<=[(,=]) ?/(?:\\.|[^/\\\n])+/')
ROOM = re.compile(r" ?(=>|[=!]==?|[-+*/%|&?<>]?=|&&|\|\||\?\?|\?\.|[?:,{}<>*]) ?")


def tight(source: str) -> str:
    """The script without the room around operators and braces, outside of its texts: a tenth less."""
    found, end = [], 0
    for start, stop in _texts(source):
        found += [ROOM.sub(r"\1", source[end:start]), source[start:stop]]
        end = stop
    return "".join(found) + ROOM.sub(r"\1", source[end:])


def _texts(source: str) -> Iterator[tuple[int, int]]:
    """Where the script's strings, regular expressions and templates begin and end."""
    at = 0
    while at < len(source):
        if source[at] == "`":
            start, at = at, _end_of_template(source, at)
            yield start, at
        elif match := WHOLE.match(source, at):
            yield match.span()
            at = match.end()
        else:
            at += 1


def _end_of_template(source: str, at: int) -> int:
    """The place after the template that begins here."""
    depth, at = [], at + 1  # what is open within it: "{" of code, "`" of templates
    while True:
        if source[at] == "\\":
            at += 1
        elif depth and depth[-1] == "{":
            if source[at] in "{`":
                depth.append(source[at])
            elif source[at] == "}":
                depth.pop()
        elif source.startswith("${", at):
            depth.append("{")
            at += 1
        elif source[at] == "`":
            if not depth:
                return at + 1
            depth.pop()
        at += 1


VERSION = f'const EXPERIMENTS = "{hashlib.sha256(EXPERIMENTS.encode()).hexdigest()[:12]}";\n'
MAIN = VERSION + tight(
    script(
        "canvas.js",
        "bars.js",
        "text_box.js",
        "attention_explorer_data.js",
        "attention_explorer_controls.js",
        "attention_explorer_sampling.js",
        "attention_explorer_filter.js",
        "attention_explorer_heads.js",
        "attention_explorer_tokens.js",
        "attention_explorer_matrix.js",
        "attention_explorer_cell.js",
        "attention_explorer_next.js",
        "attention_explorer_state.js",
        "attention_explorer_link.js",
        "attention_explorer_teacher.js",
        "attention_explorer_experiments.js",
        "attention_explorer.js",
    )
)
