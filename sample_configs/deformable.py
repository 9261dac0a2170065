# optplan show sample_configs/deformable.py --model sample_configs/models.py:DeformableNet
# The convolution that predicts the offsets of a deformable convolution learns at a tenth of the lr.
optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=0.0001),
    paramwise_cfg=dict(dcn_offset_lr_mult=0.1, bias_lr_mult=2.),
)
