"""How a refusal gets onto a form: what was typed stays, and the sentence stands beside it."""

from django import forms

from core.problems import Problem

from ..permissions import NotThere


def show(form: forms.BaseForm, problem: Problem, *, typed: str = "") -> int:
    """Put a problem's sentence on the form, at its own field or at `typed` where what was typed is
    at fault, and give the status of the answer. Raises NotThere again: it has a page of its own."""
    if isinstance(problem, NotThere):
        raise problem
    field = problem.field or (typed if problem.status == Problem.status else "")
    form.add_error(field if field in form.fields else None, problem.sentence)
    return problem.status
