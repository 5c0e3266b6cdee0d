"""Pictures and pages of runs: matplotlib figures and Jinja templates (extra `report`)."""
