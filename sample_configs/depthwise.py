# optplan show sample_configs/depthwise.py --model mobilenetv2_100
# Depthwise convolutions have few weights per channel, so they are spared the decay.
optim_wrapper = dict(
    optimizer=dict(type='RMSprop', lr=0.045, alpha=0.9, momentum=0.9, eps=0.0316, weight_decay=4e-5),
    paramwise_cfg=dict(norm_decay_mult=0., dwconv_decay_mult=0.),
)
