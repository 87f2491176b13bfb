"""The demonstration: a sample company, its phones, and a look at what each got."""
