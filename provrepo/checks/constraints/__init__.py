"""PROV-CONSTRAINTS (W3C Recommendation, 30 April 2013): validity of documents, normal form, equivalence.

``validity.check`` returns the violations, ``equivalence`` has normal forms and equivalence.
``rules.RULES`` is the table of rules.
"""
