optim_wrapper = dict(
    optimizer=dict(type='Adam'),
    paramwise_cfg=dict(
        norm_decay_mult=0.,
        custom_keys=dict(head=dict(lr_mult=10.))))
