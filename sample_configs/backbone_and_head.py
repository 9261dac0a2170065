# optplan show sample_configs/backbone_and_head.py --model sample_configs/models.py:Segmentor
# Fine-tuning: a slow backbone whose first layer stands still, and a fast head.
optim_wrapper = dict(
    optimizer=dict(type='AdamW', lr=0.0002, betas=(0.9, 0.999), weight_decay=0.05),
    paramwise_cfg=dict(
        custom_keys={
            'backbone': dict(lr_mult=0.1),
            'backbone.layer0': dict(lr_mult=0, decay_mult=0),
            'head': dict(lr_mult=10.),
        }),
)
