"""The stored queries as a catalogue: pages, answers in every format, OpenAPI, snippets, links to saved queries."""
