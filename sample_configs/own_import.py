# optplan show sample_configs/own_import.py --import sample_configs/models.py
# The class stands in the project itself: --import is the leave to run its file.
model = dict(type='models.Segmentor', classes=5)
optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.01, weight_decay=5e-4),
    paramwise_cfg=dict(norm_decay_mult=0., custom_keys=dict(decode_head=dict(lr_mult=10.))),
)
