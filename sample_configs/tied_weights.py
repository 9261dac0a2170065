# optplan show sample_configs/tied_weights.py --model sample_configs/models.py:TiedLanguageModel
# The output layer is the embedding: without bypass_duplicate torch refuses the second group.
optim_wrapper = dict(
    optimizer=dict(type='AdamW', lr=3e-4, weight_decay=0.1),
    paramwise_cfg=dict(norm_decay_mult=0., bias_decay_mult=0., bypass_duplicate=True),
)
