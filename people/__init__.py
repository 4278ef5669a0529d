"""Who: accounts, children, guardians, practitioners, departments, consent, access and the record of what was done."""
