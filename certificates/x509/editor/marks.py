"""What the marks in an editor's window mean."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NoteKind:
    """A cause of marks; ``harmless`` is what a gateway's portal here puts up with."""

    title: str
    text: str
    harmless: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """A kind that a file has, with its ``number`` in the legend (from 1)."""

    number: int
    kind: NoteKind


NOTES: dict[str, NoteKind] = {
    "bom": NoteKind(
        "Byte order mark",
        "Three invisible bytes stand in front of the text. They are skipped here; other readers "
        "may refuse the file.",
        harmless=True,
    ),
    "utf16": NoteKind(
        "UTF-16",
        "Every character takes two bytes. It looks right in an editor, but a reader of "
        "certificates finds no BEGIN line in it.",
    ),
    "rich": NoteKind(
        "Formatting",
        "A word processor or a browser wrote commands of its own between the text: this is a "
        "document, not a plain text.",
    ),
    "hidden": NoteKind(
        "Invisible characters",
        "No-break spaces and zero-width characters come along with text copied from pages and "
        "chats. They do not show, and they are no Base-64.",
    ),
    "dashes": NoteKind(
        "Typographic dashes",
        "Automatic correction replaced plain hyphens. BEGIN and END need five hyphens on each "
        "side.",
    ),
    "marker": NoteKind(
        "Damaged BEGIN or END line",
        "The line must be five hyphens, the word, the label and five hyphens, with the same label "
        "at both ends.",
    ),
    "begin": NoteKind(
        "BEGIN line missing",
        "A block ends here that never began, so nothing says where the certificate starts.",
    ),
    "end": NoteKind(
        "END line missing",
        "The text stops before its END line. The last lines were lost, often while copying.",
    ),
    "markers": NoteKind(
        "BEGIN and END lines missing",
        "This is the Base-64 text alone. It is taken here; other readers want the two lines.",
        harmless=True,
    ),
    "around": NoteKind(
        "Text around the certificate",
        "It is skipped here; other readers may stumble over it.",
        harmless=True,
    ),
    "nothing": NoteKind(
        "Nothing between BEGIN and END",
        "The two lines are there, the certificate between them is not.",
    ),
    "stray": NoteKind(
        "Characters that do not belong there",
        "Base-64 is made of letters, digits, + and /, with = at the end alone. One other character "
        "spoils the whole certificate.",
    ),
    "short": NoteKind(
        "Characters are missing",
        "Base-64 comes in groups of four characters, and the last group is not complete.",
    ),
    "joined": NoteKind(
        "Joined lines",
        "All lines became one. It is read here; readers that expect lines of 64 characters refuse "
        "it.",
        harmless=True,
    ),
    "wrapped": NoteKind(
        "Lines wrapped anew",
        "An export writes lines of 64 characters. Another program broke these lines elsewhere; "
        "they are read here, but not everywhere.",
        harmless=True,
    ),
    "blanks": NoteKind(
        "Blanks at the end of lines",
        "They cannot be seen and are skipped here; strict readers refuse them.",
        harmless=True,
    ),
    "der": NoteKind(
        "Not Base-64",
        "These are the bytes of a certificate in binary form (DER). An editor cannot show them; "
        "saved from an editor, they would be destroyed.",
    ),
    "pkcs7": NoteKind(
        "Not Base-64",
        "These are the bytes of a P7B collection in binary form, which an editor cannot show.",
    ),
    "pfx": NoteKind(
        "Not Base-64",
        "These are the bytes of a PFX, which holds a private key; none of them is shown.",
    ),
    "document": NoteKind(
        "Not Base-64",
        "These are the bytes of an office document or an archive. A certificate copied into a "
        "document is no certificate file.",
    ),
    "binary": NoteKind(
        "Not Base-64",
        "These bytes are neither text nor a certificate. As a key may be among them, none is "
        "shown.",
    ),
    "key": NoteKind(
        "Private key",
        "Its characters are hidden on purpose. A private key has no place in a file that is "
        "uploaded as a certificate.",
    ),
    "empty": NoteKind(
        "Empty file",
        "Nothing is in it, or nothing but blanks.",
    ),
    "other": NoteKind(
        "No certificate in sight",
        "The text has no BEGIN line and is no Base-64 of a certificate.",
    ),
}
