optim_wrapper = dict(
    optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.1),
    paramwise_cfg=dict(
        custom_keys={
            'bias': dict(decay_multi=0.0),
        }))
