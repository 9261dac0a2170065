# optplan show sample_configs/vit_adamw.py --model vit_small_patch16_224
# The usual recipe for vision transformers: no decay for anything one-dimensional, nor for embeddings.
optim_wrapper = dict(
    optimizer=dict(type='AdamW', lr=0.001, weight_decay=0.05),
    paramwise_cfg=dict(
        flat_decay_mult=0.,
        custom_keys={
            '.cls_token': dict(decay_mult=0.),
            '.pos_embed': dict(decay_mult=0.),
        }),
)
