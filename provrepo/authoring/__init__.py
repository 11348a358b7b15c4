"""Steps that no code did, as a person describes them: in a form, with options, or as rows of a table."""
