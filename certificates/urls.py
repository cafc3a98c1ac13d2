"""Addresses of the certificate pages."""

from django.urls import path

from certificates import views

app_name = "certificates"

urlpatterns = [path("preview/<str:kind>/", views.preview, name="preview")]
