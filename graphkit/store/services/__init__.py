"""Let queries call services: `gate` stands between the engine and them, `outward` is the client for other hosts."""
