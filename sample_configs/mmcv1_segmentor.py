# optplan show sample_configs/mmcv1_segmentor.py --model sample_configs/models.py:Segmentor
# For mmcv 1.x, in iterations: the head learns ten times as fast, norms are not decayed, the lr falls to 0.
optimizer = dict(
    type='AdamW', lr=0.0001, betas=(0.9, 0.999), weight_decay=0.01,
    paramwise_cfg=dict(norm_decay_mult=0., custom_keys={'decode_head': dict(lr_mult=10.)}),
)
optimizer_config = dict()
lr_config = dict(policy='poly', warmup='linear', warmup_iters=1500, warmup_ratio=1e-6,
                 power=1.0, min_lr=0.0, by_epoch=False)
runner = dict(type='IterBasedRunner', max_iters=160000)
