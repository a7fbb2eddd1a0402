"""The prompt lab without a browser: numbers equal to single prompts, what cannot be read, answers, the picture."""

import json
import math

import numpy as np
import pytest
import torch

from helpers import world
from helpers.adapting import Template, calibrated, label_log_probs
from helpers.probability import LanguageModel
from helpers.sampling import generate, normalise
from helpers.tokenizers import CharTokenizer, WordTokenizer
from helpers.transformer import GPT, GPTConfig
from helpers.widgets import PromptLab
from helpers.widgets._base import to_png
from helpers.widgets._prompt_reading import Choice

HTML = "<img src=x onerror=alert(1)>"
WORDS = ["yes", "no", ":", ";", "is", "goose", "ball", "frog", "kite", "cow", "the", "maybe"]
VOCAB = [*WORDS, world.END]
ENCODE = WordTokenizer(VOCAB, None, rule="world")
SHOTS = [{"word": word, "label": label} for word, label in zip(WORDS[5:9], ["no", "yes", "no", "yes"], strict=True)]
QUESTIONS = [{"word": "cow", "label": "no"}, {"word": "ball", "label": "yes"}]
TEMPLATES = ["{word}: {label}", "the {word} is {label}"]
CONTENT_FREE = {"word": "the", "label": ""}


def gpt(seed: int = 3, block_size: int = 64, vocab: list[str] = VOCAB) -> GPT:
    config = GPTConfig(vocab_size=len(vocab), block_size=block_size, n_layer=1, n_head=2, n_embd=16, end=12, seed=seed)
    model = GPT(config, vocab)
    with torch.no_grad():  # larger weights than training begins with, so that predictions depend on what was read
        for p in model.parameters():
            if p.ndim == 2:
                p.mul_(3)
    return model


def lab(model=None, **options) -> PromptLab:
    usual = {"labels": ["yes", "no"], "between": "; ", "stop": [";"], "content_free": CONTENT_FREE, "templates": TEMPLATES}
    options = {"encode": ENCODE, "shots": SHOTS, "questions": QUESTIONS} | usual | options
    return PromptLab(gpt() if model is None else model, **options)


def send(widget: PromptLab, **changes) -> list[dict]:
    """What the browser gets after a message, frame by frame."""
    frames = []
    widget.observe(lambda change: frames.append(json.loads(change["new"])), names=["shown"])
    widget._receive({"type": "set", "changes": changes, "asked": "a 1"})
    widget.unobserve_all("shown")
    return frames


# ---- the numbers


def test_the_bars_are_the_labels_probabilities_among_the_labels():
    model = gpt()
    widget = lab(model, n_shots=2)
    assert widget.prompt == "goose: no; ball: yes; cow:" + " "
    found = label_log_probs(model, ENCODE.encode, widget.prompt, ["yes", "no"])
    assert widget.probabilities() == pytest.approx(np.exp(normalise(found)))
    shown = widget.frame["models"][0]
    assert [bar["label"] for bar in shown["bars"]] == ["yes", "no"] and [bar["true"] for bar in shown["bars"]] == [False, True]
    assert [bar["p"] for bar in shown["bars"]] == pytest.approx(np.exp(normalise(found)))
    together, true = np.exp(found).sum(), math.exp(found[1])
    best = "yes, not the true answer" if found[0] > found[1] else "no, the true answer"
    assert shown["notes"] == [
        f"all labels together: {100 * together:.1f} % of what may come",
        f"the true answer: {100 * true:.1f} % of what may come",
        f"likeliest label: {best}",
    ]


def test_without_labels_the_true_answer_has_its_own_probability():
    model = gpt()
    widget = lab(model, labels=None, content_free=None, n_shots=1)
    found = label_log_probs(model, ENCODE.encode, widget.prompt, ["no"])
    assert widget.probabilities() == pytest.approx(np.exp(found)) and widget.frame["models"][0]["notes"] == []
    assert [(bar["label"], bar["true"]) for bar in widget.frame["models"][0]["bars"]] == [("no", True)]


@pytest.mark.parametrize("free", [CONTENT_FREE, [CONTENT_FREE, {"word": "is", "label": ""}]])
def test_calibrated_labels_are_those_of_the_function(free):
    model = gpt()
    widget = lab(model, n_shots=3, content_free=free)
    before = widget.probabilities()
    widget.set(calibrate=True)
    empty = [Template(TEMPLATES[0]).prompt(each, SHOTS[:3], "; ") for each in ([free] if isinstance(free, dict) else free)]
    pair = (label_log_probs(model, ENCODE.encode, text, ["yes", "no"]) for text in (widget.prompt, empty))
    assert widget.probabilities() == pytest.approx(np.exp(calibrated(*pair)), abs=1e-6)
    bars = widget.frame["models"][0]["bars"]
    assert [bar["before"] for bar in bars] == pytest.approx(before)
    assert bars[0]["said"] == f"{100 * before[0]:.1f} % → {100 * widget.probabilities()[0]:.1f} %"
    key = (TEMPLATES[0], "the model", 3)
    assert widget.table()[key] == pytest.approx(widget.probabilities()[1])


@pytest.mark.parametrize("options", [{}, {"labels": None, "content_free": None}])
def test_the_table_equals_single_prompts(options):
    models = {"a": gpt(1), "b": gpt(2)}
    widget = lab(models, **options)
    widget.set(order=5)
    table = widget.table()
    assert set(table) == {(text, name, n) for text in TEMPLATES for name in models for n in range(5)}
    for (text, name, n), p in table.items():
        single = lab(models, **options)
        single.set(template=text, n_shots=n, order=5)
        truth = 1 if single.reader.labels else 0
        assert p == pytest.approx(single.probabilities(name)[truth], abs=1e-6)  # read side by side: other sums in float32
        found = label_log_probs(models[name], ENCODE.encode, single.prompt, single.reader.labels or ["no"])
        assert p == pytest.approx(np.exp(normalise(found) if truth else found)[truth], abs=1e-6)


def test_a_table_of_many_shots_has_few_columns_and_the_chosen_one():
    widget = lab(shots=SHOTS * 5)
    assert widget.frame["table"]["columns"] == [0, 4, 8, 12, 16, 20]
    widget.set(n_shots=5)
    assert widget.frame["table"]["columns"] == [0, 4, 5, 8, 12, 16, 20]


def test_a_prompt_is_read_once():
    class Counting(GPT):
        n_read = 0

        def read(self, ids, *args, **kwargs):
            self.n_read += len(ids)
            return super().read(ids, *args, **kwargs)

    model = Counting(gpt().config, VOCAB)
    widget = lab(model)
    assert model.n_read == 2 * 5  # the table, and in it the prompt
    widget.set(n_shots=3)
    widget.set(template=TEMPLATES[1])
    assert model.n_read == 2 * 5
    send(widget, template="{word} {label}")
    assert model.n_read == 3 * 5  # a row for the new template


def test_shots_are_shuffled_by_the_seed_and_the_first_are_taken():
    widget = lab(n_shots=4)
    given = widget.reader.chosen(widget.choice)
    assert given == SHOTS
    widget.set(order=1)
    shuffled = widget.reader.chosen(widget.choice)
    assert sorted(map(str, shuffled)) == sorted(map(str, SHOTS))
    widget.set(n_shots=2)
    assert widget.reader.chosen(widget.choice) == shuffled[:2]
    orders = [[shot["word"] for shot in widget.reader.chosen(Choice(TEMPLATES[0], 4, order))] for order in range(40)]
    assert orders[0] not in orders[1:] and len(set(map(tuple, orders))) > 15  # of 24


class Never(LanguageModel):
    """Gives the same probabilities after every text, none to labels."""

    vocab = VOCAB

    def next_log_probs(self, context):
        return np.where(np.arange(len(VOCAB)) == 3, 0.0, -np.inf)


def test_a_model_that_gives_no_label_any_probability():
    widget = lab(Never(), max_new_tokens=2)
    assert widget.probabilities() == pytest.approx([0, 0]) and set(widget.table().values()) == {0.0}
    assert widget.frame["models"][0]["notes"][-1] == "no label can come next at all"
    widget.sample()
    assert widget.frame["answers"][0]["text"] == "(ended at once)"
    widget.set(calibrate=True)
    assert widget.probabilities() == pytest.approx([0, 0])
    assert json.loads(widget.shown) == widget.frame and to_png(widget.picture())


# ---- answers


def test_an_answer_is_what_generate_writes_and_its_probability_the_models_own():
    model = gpt()
    widget = lab(model, n_shots=2, max_new_tokens=5)
    widget.set(temperature=1.5, top_p=0.9, seed=4)
    assert widget.frame["answers"] == []
    widget.sample()
    ids = ENCODE.encode(widget.prompt)
    stop = {VOCAB.index(";"), model.end}
    new = generate(model, ids, 5, temperature=1.5, top_p=0.9, stop=stop, seed=4)[len(ids) :]
    ended = new[-1] in stop
    written = new[:-1] if ended else new
    (answer,) = widget.frame["answers"]
    assert widget.reader.answer("the model", widget.choice).text == ENCODE.decode(written)
    log_p = label_log_probs(model, lambda text: ids if text else list(written if len(written) else new), "x", [""])[0]
    assert answer["p"] == pytest.approx(math.exp(log_p), rel=1e-4)
    assert widget.choice.seed == 4
    widget.sample()
    assert widget.choice.seed == 5  # another answer
    widget.set(n_shots=1)  # the answer goes with the prompt
    assert widget.choice.seed == 5 and len(widget.frame["answers"]) == 1


@pytest.mark.parametrize("wanted, note", [("no", "the true answer"), ("maybe", "not the true answer")])
def test_an_answer_is_compared_with_the_truth(wanted, note):
    class Says(GPT):  # the word that is wanted, then ";"
        def read(self, ids, *args, **kwargs):
            logits = super().read(ids, *args, **kwargs) * 0
            for i, row in enumerate(ids):
                for t, token in enumerate(row):
                    logits[i, t, VOCAB.index(";" if VOCAB[token] == wanted else wanted)] = 20
            return logits

    widget = lab(Says(gpt().config, VOCAB))
    widget.sample()
    (answer,) = widget.frame["answers"]
    assert (answer["text"], answer["note"], answer["right"]) == (wanted, note, wanted == "no")
    assert answer["p"] == pytest.approx(1, abs=1e-6)
    cut = lab(Says(gpt().config, VOCAB), stop=(), max_new_tokens=3)
    cut.sample()
    assert cut.frame["answers"][0]["note"] == "not the true answer, cut here"


def test_an_answer_that_ends_at_once_is_said():
    class Ends(GPT):
        def read(self, ids, *args, **kwargs):
            logits = super().read(ids, *args, **kwargs) * 0
            logits[..., self.end] = 2
            return logits

    widget = lab(Ends(gpt().config, VOCAB), stop=())
    widget.set(temperature=0)
    widget.sample()
    (answer,) = widget.frame["answers"]
    assert answer["text"] == "(ended at once)"
    assert answer["p"] == pytest.approx(math.exp(2) / (math.exp(2) + 12))  # of 13 tokens; not 1, as of no token at all


def test_the_models_are_never_changed():
    model = gpt()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    widget = lab(model)
    widget.set(n_shots=4, calibrate=True)
    widget.sample()
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    assert model.training and all(p.grad is None for p in model.parameters())


def test_without_a_tokenizer_tokens_are_joined_or_decoded():
    widget = lab(encode=ENCODE.encode, max_new_tokens=3, stop=())
    widget.sample()
    while (text := widget.reader.answer("the model", widget.choice).text).count(" ") != 2:
        widget.sample()
    assert all(token in VOCAB for token in text.split(" "))
    other = lab(encode=ENCODE.encode, decode=lambda ids: "decoded", max_new_tokens=3)
    other.sample()
    assert other.frame["answers"][0]["text"] == "decoded"


# ---- what the browser sends


def test_a_change_is_answered_at_once_and_then_with_the_table():
    widget = lab()
    first, last = send(widget, n_shots=2, question=1)
    assert [frame["done"] for frame in (first, last)] == [False, True] and first["asked"] == last["asked"] == "a 1"
    assert first["models"] == last["models"] and first["choice"]["n_shots"] == 2 and last["truth"] == "yes"
    whole = lab()
    whole.set(n_shots=2, question=1)
    assert whole.frame["table"] == last["table"] and whole.frame["models"] == last["models"]


@pytest.mark.parametrize(
    "text, message",
    [
        ("{word", "cannot be read"),
        ("{word} {}", "not a plain name"),
        ("no field", "has no field"),
        ("{nothing}: {label}", "needs the field 'nothing'"),
        ("{label}: {word}", "none of the labels 'yes', 'no'"),
        ("{word} zebra {label}", "'zebra'"),
        ("\ud800{word} {label}", "surrogate"),
    ],
)
def test_a_template_that_cannot_be_read_is_said_and_the_last_good_view_stays(text, message):
    widget = lab()
    before = widget.frame
    (broken,) = send(widget, template=text)
    assert message in broken["error"] and broken["draft"] == text and broken["done"]
    assert all(broken[name] == before[name] for name in ("prompt", "models", "table", "choice"))
    assert widget.choice.template == TEMPLATES[0] and widget.shown.isascii()
    *_, after = send(widget, n_shots=1)  # other changes go on with the last good template; the text waits to be mended
    assert after["choice"]["n_shots"] == 1 and after["draft"] == text and message in after["error"]
    *_, mended = send(widget, template="{word} {label}")
    assert mended["error"] == "" and mended["draft"] == "{word} {label}" and mended["choice"]["template"] == -1
    assert [row["own"] for row in mended["table"]["rows"]] == [False, False, True]


@pytest.mark.parametrize(
    "changes", [{"n_shots": 9}, {"n_shots": "2"}, {"question": 2}, {"order": -1}, {"seed": 0.5}, {"top_p": 0}, {"other": 1}]
)
def test_what_is_out_of_range_is_said_and_changes_nothing(changes):
    widget = lab()
    choice = widget.choice
    (frame,) = send(widget, **changes)
    assert next(iter(changes)) in frame["error"] and widget.choice == choice
    with pytest.raises((ValueError, TypeError)):
        widget.set(**changes)
    assert widget.choice == choice
    *_, after = send(widget, n_shots=1)
    assert after["error"] == ""


def test_sampling_from_the_browser():
    widget = lab(max_new_tokens=3)
    first, last = send(widget, sampled=True, seed=3)
    assert (len(first["answers"]), len(last["answers"])) == (0, 1) and last["choice"]["seed"] == 3
    widget.sample()
    assert widget.choice.seed == 4
    *_, frame = send(widget, temperature=0)
    whole = lab(max_new_tokens=3)
    whole.set(sampled=True, temperature=0)
    assert frame["answers"] == whole.frame["answers"]  # greedy: whatever the seed


@pytest.mark.parametrize(
    "content", [None, {}, {"type": "set"}, {"type": "set", "changes": 3}, {"type": "other", "changes": {}}]
)
def test_other_messages_are_passed_over(content):
    widget = lab()
    before = widget.shown
    widget._receive(content)
    assert widget.shown == before


# ---- long, unknown and foreign texts


def test_a_prompt_that_is_too_long_is_said_and_read_as_the_model_reads_it():
    model = gpt(block_size=12)
    widget = lab({"short": model, "long": gpt()})
    assert widget.frame["models"][0]["error"] == "" and widget.frame["forgotten"] == 0
    widget.set(n_shots=2)  # 10 tokens and the start are 11
    assert widget.frame["models"][0]["error"] == ""
    widget.set(n_shots=3)  # 14 tokens: after 12 the older 6 are forgotten, the start among them
    short, long = widget.frame["models"]
    assert "The prompt has 14 tokens, more than fit the context of 12" in short["error"] and long["error"] == ""
    assert "the first 5 are forgotten" in short["error"] and widget.frame["forgotten"] == 5
    shown = [VOCAB[i] for i in ENCODE.encode(widget.prompt)]
    assert widget.frame["tokens"] == shown
    rest = np.exp(model.next_log_probs(ENCODE.encode(widget.prompt))[:2])
    with torch.no_grad():
        window = torch.tensor([ENCODE.encode(widget.prompt)[5:]])
        direct = model.eval()(window)[0, -1].softmax(-1)[:2].numpy()
    assert rest == pytest.approx(direct, abs=1e-6)
    assert widget.probabilities("short") == pytest.approx(direct / direct.sum(), abs=1e-6)
    assert to_png(widget.picture())


def test_unknown_words_are_counted():
    vocab = ["<unk>", *VOCAB[1:]]
    encode = WordTokenizer(vocab[1:], rule="world")
    widget = lab(gpt(vocab=vocab), encode=encode, labels=["no", "maybe"], questions=QUESTIONS[:1])
    widget.set(template="{word} zebra quagga {label}")
    assert widget.frame["unknown"] == "2 of them not in the vocabulary, read as <unk>"


def test_the_prompt_is_shown_with_marks_for_what_is_not_seen():
    widget = lab(between="\n", n_shots=1)
    assert widget.frame["prompt"] == "goose: no↵\ncow:␣"
    assert widget.frame["size"] == "6 tokens, 1 shot"


def test_a_text_that_looks_like_html_travels_as_text():
    text = HTML + "{word} {label}"
    letters = sorted(set("".join([text, *VOCAB, "\n"])))
    model = gpt(vocab=letters)
    widget = lab(model, encode=CharTokenizer(letters), templates=[text], content_free=None, stop=(), between="\n")
    assert HTML in json.loads(widget.setup)["templates"][0]["name"] and HTML in widget.frame["prompt"]
    assert json.loads(widget.shown) == widget.frame
    assert "innerHTML" not in str(widget._esm) and "http" not in str(widget._esm)


# ---- what is refused, and what is carried


@pytest.mark.parametrize(
    "options, message",
    [
        ({"model": {}}, "1 to 3"),
        ({"model": {str(i): gpt() for i in range(4)}}, "1 to 3"),
        ({"templates": []}, "a template and a question"),
        ({"templates": "{word}: {label}"}, "are lists"),
        ({"labels": "yes"}, "are lists"),
        ({"questions": []}, "a template and a question"),
        ({"templates": ["{word"]}, "cannot be read"),
        ({"questions": [{"word": "cow"}]}, "needs the field 'label'"),
        ({"shots": [{"label": "no"}]}, "needs the field 'word'"),
        ({"questions": [{"word": "cow", "label": "maybe"}]}, "none of the labels"),
        ({"labels": ["yes", "no", "no "]}, "are the same tokens"),
        ({"labels": None}, "content_free calibrates labels"),
        ({"stop": ["zebra"]}, "stop token 'zebra' is not in the vocabulary"),
        ({"max_new_tokens": 0}, "max_new_tokens"),
        ({"n_shots": 5}, "n_shots must be a whole number from 0 to 4"),
        ({"encode": lambda text: [99]}, "token id 99"),
    ],
)
def test_what_does_not_fit_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        lab(**options)


def test_to_calibrate_needs_a_question_without_content():
    with pytest.raises(ValueError, match="needs labels and content_free"):
        lab(content_free=None).set(calibrate=True)


def test_templates_may_be_templates():
    assert lab(templates=[Template(TEMPLATES[0])]).choice.template == TEMPLATES[0]


def test_a_template_of_the_list_that_cannot_be_encoded_leaves_its_row_empty():
    widget = lab(templates=[TEMPLATES[0], "zebra {word} {label}"])
    found = widget.table()
    assert {p for (text, *_), p in found.items() if "zebra" in text} == {None}
    assert all(p is not None for (text, *_), p in found.items() if "zebra" not in text)
    assert to_png(widget.picture())


def test_what_it_says_is_the_same_in_every_run():
    widget = lab(n_shots=2)
    widget.set(order=3, calibrate=True)
    text = "template '{word}: {label}', 2 shots, order 3, question 1, calibrated"
    assert repr(widget) == f"PromptLab({text})"


def make_full() -> PromptLab:
    widget = lab({"a": gpt(1), "b": gpt(2), HTML * 3: gpt(4)}, n_shots=3)
    widget.set(calibrate=True, order=2)
    widget.sample()
    return widget


def make_odd() -> PromptLab:
    widget = lab(labels=None, content_free=None, encode=lambda text: [1, 2, 3][: len(text)], between="\n")
    widget.set(template="$x$ 词元 " * 30 + "{word}\n{label}", n_shots=4)
    widget.sample()
    return widget


@pytest.mark.parametrize("make", [lab, make_full, make_odd, lambda: lab(shots=[], labels=["no"], questions=QUESTIONS[:1])])
def test_it_carries_a_picture_text_and_the_live_view(make):
    data, _ = make()._repr_mimebundle_()
    again, _ = make()._repr_mimebundle_()
    assert set(data) == {"text/plain", "image/png", "application/vnd.jupyter.widget-view+json"}
    assert (again["text/plain"], again["image/png"]) == (data["text/plain"], data["image/png"])
    assert "\n" not in data["text/plain"] and "%" not in data["text/plain"] and len(data["image/png"]) < 200_000


def test_the_script_is_small():
    source = str(PromptLab._esm)
    assert len(source.encode()) < 20_000 and source.count("export default") == 1
