optimizer = dict(
    type='SGD', lr=0.1, weight_decay=1e-4,
    paramwise_cfg=dict(
        custom_keys={
            'backbon.': dict(lr_mult=0.1, decay_mult=1.),
            '[red]<b>|`*x*`': dict(lr_mult=2., decay_mult=1.),
        }))
