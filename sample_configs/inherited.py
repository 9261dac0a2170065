# optplan show sample_configs/inherited.py --model resnet18
# Fine-tuning: a tenth of the base lr, ten times as much for the classifier, decay for all.
_base_ = './_base_/sgd.py'

optim_wrapper = dict(
    optimizer=dict(lr=_base_.base_lr / 10),
    paramwise_cfg=dict(_delete_=True, custom_keys=dict(fc=dict(lr_mult=10.))),
)
