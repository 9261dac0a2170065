"""What each setting has over a training: a view of trajectories in, a report for all formats out.

Imports schedule, plan and formats, never cli or app.
"""
