"""Declare what each setting has over a training, once for all formats.

Turns trajectories into a report. Imports schedule, plan and formats, never cli or app.
"""
