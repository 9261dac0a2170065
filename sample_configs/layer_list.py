# optplan show sample_configs/layer_list.py --model sample_configs/models.py:Segmentor
# Layer decay for a model that says nothing of layers: they are listed, a pattern each, from the input on.
optim_wrapper = dict(
    optimizer=dict(type='AdamW', lr=0.001, weight_decay=0.05),
    constructor='LayerDecayOptimizerConstructor',
    paramwise_cfg=dict(
        layer_decay_rate=0.5,
        norm_decay_mult=0.,
        layers=[f'backbone.layer{i}.*' for i in range(3)] + ['decode_head.*']),
)
