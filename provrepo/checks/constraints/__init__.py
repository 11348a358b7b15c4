"""PROV-CONSTRAINTS (W3C Recommendation, 30 April 2013): validity of documents, normal form, equivalence.

``validity.check`` says what is wrong, ``equivalence.normalized`` and ``equivalence.equivalent`` do the rest.
``rules.RULES`` is the table of rules.
"""
