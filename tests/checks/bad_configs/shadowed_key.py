optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.1, weight_decay=1e-4),
    paramwise_cfg=dict(
        custom_keys={
            'layer0': dict(lr_mult=0., decay_mult=0.),
            'backbone': dict(lr_mult=0.1, decay_mult=1.),
        }))
