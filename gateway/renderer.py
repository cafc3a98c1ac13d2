"""How Django's forms become HTML: every field goes through one partial."""

from __future__ import annotations

from django.forms.renderers import TemplatesSetting


class FormRenderer(TemplatesSetting):
    """Finds widget templates in ``templates/`` and draws fields with ``forms/field.html``."""

    field_template_name = "forms/field.html"
