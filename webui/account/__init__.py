"""How people log in, and see to it: second factors, passkeys, invitations, confirming who one is."""
