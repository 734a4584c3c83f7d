"""What the person who runs the site does: serve it, look after its database, ask whether it is well."""
