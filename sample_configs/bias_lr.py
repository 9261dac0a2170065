# optplan show sample_configs/bias_lr.py --model vgg11_bn
# Caffe's habit, in the older form of the format: biases learn twice as fast and are not decayed.
optimizer = dict(
    type='SGD',
    lr=0.02,
    momentum=0.9,
    weight_decay=0.0005,
    paramwise_cfg=dict(bias_lr_mult=2., bias_decay_mult=0.),
)
