# optplan show sample_configs/custom_constructor.py --model sample_configs/models.py:Segmentor --import sample_configs/stage_decay.py
# The constructor is a class of the project's own, in a file that --import runs. It knows three stages; what it does
# not touch, as the head and the weight decay of norms, is decided by the rules of the default constructor.
optim_wrapper = dict(
    type='AmpOptimWrapper',
    loss_scale='dynamic',
    optimizer=dict(type='AdamW', lr=0.002, weight_decay=0.05),
    constructor='StageDecayOptimWrapperConstructor',
    paramwise_cfg=dict(stages=3, stage_decay_rate=0.5, norm_decay_mult=0.),
)
