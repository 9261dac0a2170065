optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1))
auto_scale_lr = dict(enable=True, base_batch_size=256)
