optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.1, weight_decay=1e-4),
    paramwise_cfg=dict(
        norm_decay_mul=0.,  # optplan: ignore[OPT101] kept for an older fork
        norm_decay_mult=0.,  # optplan: ignore[OPT107] nothing here
    ))
