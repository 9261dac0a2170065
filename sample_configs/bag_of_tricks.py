# optplan show sample_configs/bag_of_tricks.py --model resnet50
# "No bias decay": batch norms keep their weights and biases undecayed.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=0.0001),
    paramwise_cfg=dict(norm_decay_mult=0.),
)
