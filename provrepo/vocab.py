"""Namespaces and IRIs that several modules use, as plain strings."""

from __future__ import annotations

PROV = "http://www.w3.org/ns/prov#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
XSD = "http://www.w3.org/2001/XMLSchema#"
OWL = "http://www.w3.org/2002/07/owl#"
SH = "http://www.w3.org/ns/shacl#"
DCAT = "http://www.w3.org/ns/dcat#"
DCTERMS = "http://purl.org/dc/terms/"
DQV = "http://www.w3.org/ns/dqv#"
MLS = "http://www.w3.org/ns/mls#"
FOAF = "http://xmlns.com/foaf/0.1/"
SCHEMA = "http://schema.org/"
SPDX = "http://spdx.org/rdf/terms#"
WFPROV = "http://purl.org/wf4ever/wfprov#"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
PROVREPO = "https://w3id.org/provrepo/ns#"
"""The repository's own terms, defined in ``ontology/provrepo.ttl``."""

RDF12_TERM = PROVREPO + "Rdf12Term"
RDF_TYPE = RDF + "type"
RDF_LANG_STRING = RDF + "langString"
RDFS_LABEL = RDFS + "label"
XSD_STRING = XSD + "string"
XSD_DATETIME = XSD + "dateTime"
XSD_ANY_URI = XSD + "anyURI"
XSD_QNAME = XSD + "QName"
PROV_QUALIFIED_NAME = PROV + "QUALIFIED_NAME"
PROV_INTERNATIONALIZED_STRING = PROV + "InternationalizedString"

PROV_LABEL = PROV + "label"
PROV_TYPE = PROV + "type"
PROV_ROLE = PROV + "role"
PROV_LOCATION = PROV + "location"
PROV_VALUE = PROV + "value"

PREDECLARED = {
    "prov": PROV,
    "rdf": RDF,
    "rdfs": RDFS,
    "xsd": XSD,
    "dcterms": DCTERMS,
    "dcat": DCAT,
    "schema": SCHEMA,
    "foaf": FOAF,
    "spdx": SPDX,
    "provrepo": PROVREPO,
}
"""Prefixes that need no declaration in SPARQL queries."""
