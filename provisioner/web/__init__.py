"""What answers HTTP: `autoprovision` to phones, `portal` to people. Translates, decides nothing."""
