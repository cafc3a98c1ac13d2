"""What can be wrong with a document before anything in it is judged."""

from __future__ import annotations

from gateway.problems import declare, evidenced

MALFORMED = "InvalidRequestFormat"
_SOURCE = "Application gateways REST API reference"

TOO_LARGE = declare(
    "document-too-large",
    title="The document is too large",
    why="It nests deeper or lists more items than any gateway can have.",
    remedy="Check that the right file was sent; a gateway has at most a few hundred items.",
    source="Application Gateway limits",
    arm_code="RequestContentTooLarge",
)
TEXT_UNSTORABLE = declare(
    "text-unstorable",
    title="A text holds characters that cannot be stored",
    why="Null characters and halves of character pairs are no text, and numbers must be finite.",
    remedy="Remove the character at the place that the message names.",
    source="RFC 8259, JSON",
    arm_code=MALFORMED,
)
TYPE_WRONG = declare(
    "member-type-wrong",
    title="A value has the wrong type",
    why="Each member of the document has one type: text, number, yes or no, list or object.",
    remedy="Write the value in the form that the message names.",
    source=_SOURCE,
    arm_code=MALFORMED,
)
UNKNOWN = declare(
    "member-unknown",
    title="A member does not exist",
    why="The document names a property that an application gateway does not have, so it would "
    "be lost without a word.",
    remedy="Check the spelling, or leave the member out.",
    source=_SOURCE,
    arm_code=MALFORMED,
)
PASSED_OVER = declare(
    "member-passed-over",
    severity="warning",
    title="A member was passed over",
    why="The imported document has a property that is not known here.",
    remedy="Nothing needs to be done; the rest of the document was read.",
    source=_SOURCE,
)
NOT_ACTED_ON = declare(
    "member-not-acted-on",
    severity="warning",
    title="A setting is kept, but has no effect here",
    why="The cloud knows this setting; this installation stores it and gives it back unchanged.",
    remedy="Do not rely on it for what you test here.",
    source=_SOURCE,
)
DUPLICATE_MEMBER = declare(
    "member-duplicate",
    title="A member is given twice",
    why="Names of members count the same in capitals and small letters.",
    remedy="Keep one of the two.",
    source=_SOURCE,
    arm_code=MALFORMED,
)
MISSING = declare(
    "member-missing",
    title="A required value is missing",
    why="The gateway cannot be built without it.",
    remedy="Add the member that the message names.",
    source=_SOURCE,
    arm_code="InvalidRequestContent",
)
VALUE_UNKNOWN = declare(
    "value-not-known",
    title="A value is not one of the accepted ones",
    why="The member takes one of a fixed list of values.",
    remedy="Use one of the values that the message lists.",
    source=_SOURCE,
    arm_code="InvalidRequestContent",
)
NAME_MISSING = declare(
    "item-name-missing",
    title="An item has no name",
    why="Items refer to each other by name.",
    remedy="Give every item of the list a name.",
    source=_SOURCE,
    arm_code=MALFORMED,
)
NAME_TWICE = declare(
    "item-name-duplicate",
    title="Two items have one name",
    why="Names are unique within their list, whatever their case.",
    remedy="Rename one of the two, or remove it.",
    source="Naming rules and restrictions for Azure resources",
    arm_code="InvalidRequestContent",
)
REFERENCE_MALFORMED = declare(
    "reference-malformed",
    title="A reference cannot be read",
    why="A reference is the full resource id of what is meant, and of the right type.",
    remedy="Use the id as the resource itself shows it.",
    source="Azure Resource Manager: resource ids",
    arm_code="LinkedInvalidPropertyId",
)
REFERENCE_MISSING = declare(
    "reference-missing",
    title="Something that is referred to does not exist",
    why="What is named was never there, was removed in this change, or is out of reach.",
    remedy="Create it first, or point to another; to remove it, first remove what uses it.",
    source="Azure Resource Manager: InvalidResourceReference",
    arm_code="InvalidResourceReference",
)
DATA_UNREADABLE = declare(
    "data-not-base64",
    title="The file is not in Base-64",
    why="A file travels in a document as one Base-64 text of all its bytes.",
    remedy="Encode the file (base64 -w0 FILE) and send the result.",
    source="RFC 4648, Base64",
    arm_code="InvalidRequestContent",
)
ID_MISMATCH = declare(
    "id-mismatch",
    title="The document belongs to another gateway",
    why="The id in the document is not the one of the address that it was sent to.",
    remedy="Correct or remove the id in the document.",
    source="Azure Resource Manager: resource ids",
    arm_code="InvalidRequestContent",
)
LOCATION_UNKNOWN = declare(
    "location-unknown",
    title="The location is no region",
    why="A region has a short name of letters and digits, for example westus.",
    remedy="Use the region of the virtual network.",
    source="Azure regions list",
    arm_code="LocationNotAvailableForResourceType",
)
TAGS_INVALID = declare(
    "tags-invalid",
    title="The tags cannot be used",
    why="A resource has at most 50 tags; names have up to 512 characters without < > % & \\ ? /, "
    "values up to 256.",
    remedy="Shorten or remove the tag that the message names.",
    source="Azure: use tags to organise resources",
    arm_code="InvalidRequestContent",
)

for _collection, _code in (
    ("frontendPorts", "ApplicationGatewayFrontendPortInvalidPortNumber"),
    ("backendHttpSettingsCollection", "ApplicationGatewayBackendHttpSettingsPortIsInvalid"),
):
    evidenced(MISSING.id, _code, collection=_collection)
for _collection, _code in (
    ("sslCertificates", "ApplicationGatewaySslCertificateInvalidData"),
    ("trustedRootCertificates", "ApplicationGatewayTrustedRootCertificateInvalidData"),
):
    evidenced(DATA_UNREADABLE.id, _code, collection=_collection)
