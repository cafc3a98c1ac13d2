"""Addresses for agents."""

from __future__ import annotations

from django.urls import path

from gateway.agents import views

app_name = "agents"

urlpatterns = [
    path("enrol", views.enrol, name="enrol"),
    path("bundle", views.bundle, name="bundle"),
    path("report", views.report, name="report"),
]
