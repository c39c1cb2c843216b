"""Linked data: what an IRI of the graph, of its ontology and of its versions leads to."""
