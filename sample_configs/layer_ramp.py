# optplan schedule sample_configs/layer_ramp.py --model vit_small_patch16_224 --iters-per-epoch 1251
# A layer decay written out as custom keys, warmed up and brought down along a cosine: with eta_min_ratio each layer ends at a hundredth of its own lr.
optim_wrapper = dict(
    optimizer=dict(type='AdamW', lr=0.001, weight_decay=0.05, betas=(0.9, 0.999)),
    paramwise_cfg=dict(
        custom_keys={
            '.cls_token': dict(lr_mult=0.65 ** 13, decay_mult=0.),
            '.pos_embed': dict(lr_mult=0.65 ** 13, decay_mult=0.),
            'patch_embed': dict(lr_mult=0.65 ** 13),
            **{f'blocks.{layer}.': dict(lr_mult=0.65 ** (12 - layer)) for layer in range(12)},
        }),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-4, end=20, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', eta_min_ratio=0.01, begin=20, end=100, convert_to_iter_based=True),
]
train_cfg = dict(by_epoch=True, max_epochs=100)
