"""The same for programs that the pages are for people: one blueprint a subject, tokens in the place of sessions."""
