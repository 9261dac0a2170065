# optplan show sample_configs/auto_scale_lr.py --model resnet18 --world-size 16
# The lr is meant for 8 processes with 32 images each; with 16 of them every lr is twice as large.
optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=1e-4),
    paramwise_cfg=dict(custom_keys={'fc': dict(lr_mult=10.)}),
)
train_dataloader = dict(batch_size=32)
auto_scale_lr = dict(enable=True, base_batch_size=256)
