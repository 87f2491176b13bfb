"""Documents of the package `dialog`, checked against what RFC 4235 §4.4 allows."""

from __future__ import annotations

from lxml import etree

NAMESPACE = "urn:ietf:params:xml:ns:dialog-info"
_WORDS = {
    "state": ("full", "partial"),
    "direction": ("initiator", "recipient"),
    "dialog-state": ("trying", "proceeding", "early", "confirmed", "terminated"),
    "event": (*("cancelled", "rejected", "replaced", "local-bye", "remote-bye", "error", "timeout"),),
}


def _one_of(name: str) -> str:
    words = "".join(f'<xs:enumeration value="{word}"/>' for word in _WORDS[name])
    return f'<xs:simpleType><xs:restriction base="xs:string">{words}</xs:restriction></xs:simpleType>'


_PARTICIPANT = """
<xs:complexType name="participant"><xs:sequence>
  <xs:element name="identity" minOccurs="0" maxOccurs="1"><xs:complexType><xs:simpleContent>
    <xs:extension base="xs:anyURI"><xs:attribute name="display" type="xs:string"/></xs:extension>
  </xs:simpleContent></xs:complexType></xs:element>
  <xs:element name="target" minOccurs="0" maxOccurs="1"><xs:complexType><xs:sequence>
    <xs:element name="param" minOccurs="0" maxOccurs="unbounded"><xs:complexType>
      <xs:attribute name="pname" type="xs:string" use="required"/>
      <xs:attribute name="pval" type="xs:string" use="required"/>
    </xs:complexType></xs:element></xs:sequence>
    <xs:attribute name="uri" type="xs:string" use="required"/>
  </xs:complexType></xs:element>
</xs:sequence></xs:complexType>
"""
SCHEMA = etree.XMLSchema(
    etree.fromstring(f"""
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="{NAMESPACE}"
    targetNamespace="{NAMESPACE}" elementFormDefault="qualified">
  {_PARTICIPANT}
  <xs:element name="dialog-info"><xs:complexType><xs:sequence>
    <xs:element name="dialog" minOccurs="0" maxOccurs="unbounded"><xs:complexType><xs:sequence>
      <xs:element name="state" minOccurs="1" maxOccurs="1"><xs:complexType><xs:simpleContent>
        <xs:restriction base="said">{_one_of("dialog-state")}
          <xs:attribute name="event">{_one_of("event")}</xs:attribute>
        </xs:restriction>
      </xs:simpleContent></xs:complexType></xs:element>
      <xs:element name="duration" type="xs:nonNegativeInteger" minOccurs="0" maxOccurs="1"/>
      <xs:element name="local" type="participant" minOccurs="0" maxOccurs="1"/>
      <xs:element name="remote" type="participant" minOccurs="0" maxOccurs="1"/>
    </xs:sequence>
      <xs:attribute name="id" type="xs:string" use="required"/>
      <xs:attribute name="call-id" type="xs:string"/>
      <xs:attribute name="local-tag" type="xs:string"/>
      <xs:attribute name="remote-tag" type="xs:string"/>
      <xs:attribute name="direction">{_one_of("direction")}</xs:attribute>
    </xs:complexType></xs:element></xs:sequence>
    <xs:attribute name="version" type="xs:nonNegativeInteger" use="required"/>
    <xs:attribute name="state" use="required">{_one_of("state")}</xs:attribute>
    <xs:attribute name="entity" type="xs:anyURI" use="required"/>
  </xs:complexType></xs:element>
  <xs:complexType name="said"><xs:simpleContent><xs:extension base="xs:string">
    <xs:attribute name="event" type="xs:string"/>
    <xs:attribute name="code"><xs:simpleType><xs:restriction base="xs:positiveInteger">
      <xs:minInclusive value="100"/><xs:maxInclusive value="699"/>
    </xs:restriction></xs:simpleType></xs:attribute>
  </xs:extension></xs:simpleContent></xs:complexType>
</xs:schema>""")
)


def checked(body: bytes) -> etree._Element:
    """The document, which is as it may be. Raises `etree.DocumentInvalid`."""
    root = etree.fromstring(body)
    SCHEMA.assertValid(root)
    return root


def shown(body: bytes) -> list[tuple[str, str]]:
    """State and direction of each dialog."""
    dialogs = checked(body).iterfind(f"{{{NAMESPACE}}}dialog")
    return [(str(each.findtext(f"{{{NAMESPACE}}}state")), each.get("direction", "")) for each in dialogs]
