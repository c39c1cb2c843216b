"""The network on the pages: what is asked, what is shown of it, its drawing, ties, paths and what-if."""
