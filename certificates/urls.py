"""Addresses of the certificate pages."""

from django.urls import path

from certificates.workshop import (
    decoder,
    dialog,
    exported,
    imports,
    labca_pages,
    manager,
    notepad,
    preview,
    wizard,
)

app_name = "certificates"

urlpatterns = [
    path("", manager.start, name="start"),
    path("preview/<str:kind>/", preview.preview, name="preview"),
    path("decoder/", decoder.decoder, name="decoder"),
    path("stores/<str:store>/<str:folder>/", manager.manager, name="manager"),
    path("stores/<str:store>/<str:folder>/import/", imports.import_page, name="import"),
    path("stores/entries/<int:pk>/delete/", manager.entry_delete, name="entry-delete"),
    path("files/", exported.files, name="files"),
    path("files/<int:pk>/download/", exported.file_download, name="file-download"),
    path("files/<int:pk>/delete/", exported.file_delete, name="file-delete"),
    path("files/<int:pk>/notepad/", notepad.notepad, name="notepad"),
    path("<str:kind>/<int:pk>/view/", dialog.view, name="view"),
    path("<str:kind>/<int:pk>/view/<str:sha256>/", dialog.view, name="view-node"),
    path("<str:kind>/<int:pk>/export/", wizard.wizard, name="export"),
    path("<str:kind>/<int:pk>/export/<str:sha256>/", wizard.wizard, name="export-node"),
    path("lab-ca/", labca_pages.index, name="lab-ca"),
    path("lab-ca/new/<str:kind>/", labca_pages.new, name="lab-ca-new"),
    path("lab-ca/<str:what>/<int:pk>/pfx/", labca_pages.pfx, name="lab-ca-pfx"),
    path("lab-ca/<str:what>/<int:pk>/delete/", labca_pages.delete, name="lab-ca-delete"),
    path("lab-ca/<str:what>/<int:pk>/<str:kind>/", labca_pages.file, name="lab-ca-file"),
]
