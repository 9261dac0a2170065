# optplan show sample_configs/own_class.py
# The config imports the class of its model, which is looked for in installed packages alone.
from timm.models.resnet import BasicBlock, ResNet

model = dict(type=ResNet, block=BasicBlock, layers=[1, 1, 1, 1], num_classes=10)
optim_wrapper = dict(
    optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.05),
    paramwise_cfg=dict(flat_decay_mult=0.),
)
