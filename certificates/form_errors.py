"""Problems as errors of a form, each with its remedy and the address of its help page."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.urls import reverse

from certificates.x509.kinds.listeners import ABOUT_PASSWORD
from certificates.x509.problems import Problem


class FormError(ValidationError):
    """A form error that carries a problem's ``remedy`` and its help page."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message, code=problem.id)
        self.remedy = problem.remedy
        # By its address: the help belongs to the portal, which this room knows nothing of.
        self.help_url = reverse("portal:help", args=[problem.id])


def field_of_upload(problem: Problem, file: str, password: str) -> str:
    """Which of the two fields a PFX is uploaded with shows the problem."""
    return password if problem.kind in ABOUT_PASSWORD else file
