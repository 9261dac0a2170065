# optplan schedule sample_configs/layer_ramp.py --model vit_small_patch16_224 --iters-per-epoch 1251
# A layer decay, warmed up and brought down along a cosine: with eta_min_ratio each layer ends at a hundredth
# of its own lr; eta_min=1e-5 would lift the lowest layers above where they start.
optim_wrapper = dict(
    optimizer=dict(type='AdamW', lr=0.001, weight_decay=0.05),
    constructor='LayerDecayOptimizerConstructor',
    paramwise_cfg=dict(
        layer_decay_rate=0.65,
        custom_keys={
            '.cls_token': dict(decay_mult=0.),
            '.pos_embed': dict(decay_mult=0.),
        }),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-4, end=20, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', eta_min_ratio=0.01, begin=20, end=100, convert_to_iter_based=True),
]
train_cfg = dict(by_epoch=True, max_epochs=100)
