"""The quiz as a widget: radio buttons, and the explanation of the option chosen below them.

Saved notebooks, and pages without a running kernel, show the questions and options as text, with nothing given away. (Not
ipywidgets' RadioButtons: in a notebook their arrow keys move to the next cell.)
"""

from collections.abc import Callable, Sequence

import traitlets

from helpers.exercises.model import LETTERS, Quiz
from helpers.widgets._base import CourseWidget, script


class QuizWidget(CourseWidget):
    """One or more questions; `tell(id, solved)` is called at each choice."""

    _esm = script("quiz.js")
    state = traitlets.Dict().tag(sync=True)

    def __init__(self, questions: Sequence[Quiz], tell: Callable[[str, bool], None] = lambda id, solved: None):
        self.questions = {quiz.id: quiz for quiz in questions}
        self._tell = tell
        self._chosen: dict[str, int] = {}
        super().__init__()
        self.on_msg(lambda widget, content, buffers: self._receive(content))
        self._publish()

    def choose(self, id: str, index: int) -> None:
        """Choose the option at this index, 0 for the first."""
        feedback = self.questions[id].grade(LETTERS[index])
        self._chosen[id] = index
        self._publish()
        self._tell(id, feedback.passed)

    def summary(self) -> str:
        """Which questions these are."""
        return ", ".join(self.questions)

    def static(self) -> dict[str, str]:
        """The questions and their options as Markdown."""
        return {"text/markdown": "\n\n".join(quiz.markdown for quiz in self.questions.values())}

    def _receive(self, content: object) -> None:
        """A choice in the browser."""
        if isinstance(content, dict) and content.get("type") == "choose" and content.get("id") in self.questions:
            index = content.get("index")
            if isinstance(index, int) and 0 <= index < len(self.questions[content["id"]].options):
                self.choose(content["id"], index)

    def _publish(self) -> None:
        """Everything a view needs, in one piece."""
        questions = [self._question(quiz) for quiz in self.questions.values()]
        self.state = {"revision": self.state.get("revision", 0) + 1, "questions": questions}

    def _question(self, quiz: Quiz) -> dict:
        chosen = self._chosen.get(quiz.id)
        verdict = "" if chosen is None else quiz.grade(LETTERS[chosen])._repr_markdown_()
        options = [option.text for option in quiz.options]
        task = {"id": quiz.id, "name": quiz.name, "question": quiz.question, "options": options}
        return {**task, "chosen": chosen, "verdict": verdict}
