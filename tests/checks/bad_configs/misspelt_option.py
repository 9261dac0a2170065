optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.1, weight_decay=1e-4),
    paramwise_cfg=dict(norm_decay_mul=0.))
