"""The SPARQL 1.1 protocols over HTTP: queries, updates, graphs, and what the service says of itself."""
