# optplan show sample_configs/layer_decay.py --model vit_small_patch16_224
# Fine-tuning with layer-wise lr decay: a block has 0.75 of the lr of the block behind it. Try --view layers.
optim_wrapper = dict(
    optimizer=dict(type='AdamW', lr=0.001, weight_decay=0.05),
    constructor='LayerDecayOptimizerConstructor',
    paramwise_cfg=dict(
        layer_decay_rate=0.75,
        flat_decay_mult=0.,
        custom_keys={
            '.cls_token': dict(decay_mult=0.),
            '.pos_embed': dict(decay_mult=0.),
            'head.weight': dict(lr_mult=2.),  # on top of its layer's scale
        }),
)
