"""mmcv 1.x: plans and schedules held against what mmcv 1.7.2 answered when it was run."""
