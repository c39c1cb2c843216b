"""The languages of the pages: catalogues of words, the language of a request, and what must be translated."""
