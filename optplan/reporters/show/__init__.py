"""The views of a plan, each declared once for all formats."""
