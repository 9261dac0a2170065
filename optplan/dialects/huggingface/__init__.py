"""Hugging Face: files of ``TrainingArguments``, planned by the installed library's own ``Trainer``."""
