"""The application as a service: Granian in front, figures, the access log, an orderly end."""
