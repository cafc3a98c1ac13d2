"""Addresses of the certificate pages."""

from django.urls import path

from certificates import decoder, exported, imports, manager, views, wizard

app_name = "certificates"

urlpatterns = [
    path("preview/<str:kind>/", views.preview, name="preview"),
    path("decoder/", decoder.decoder, name="decoder"),
    path("stores/<str:store>/<str:folder>/", manager.manager, name="manager"),
    path("stores/<str:store>/<str:folder>/import/", imports.import_page, name="import"),
    path("stores/entries/<int:pk>/delete/", manager.entry_delete, name="entry-delete"),
    path("files/", exported.files, name="files"),
    path("files/<int:pk>/download/", exported.file_download, name="file-download"),
    path("files/<int:pk>/delete/", exported.file_delete, name="file-delete"),
    path("<str:kind>/<int:pk>/export/", wizard.wizard, name="export"),
    path("<str:kind>/<int:pk>/export/<str:sha256>/", wizard.wizard, name="export-node"),
]
