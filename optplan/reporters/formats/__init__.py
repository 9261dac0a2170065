"""Ways to write a report down: terminal, Markdown, HTML, CSV."""
