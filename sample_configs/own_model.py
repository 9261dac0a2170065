# optplan show sample_configs/own_model.py
# The config names its model itself, by a name that timm knows; its weights are never loaded.
model = dict(type='timm:resnet18', pretrained=True, num_classes=10)
optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.01, weight_decay=1e-4, momentum=0.9),
    paramwise_cfg=dict(norm_decay_mult=0., custom_keys=dict(fc=dict(lr_mult=10.))),
)
