_base_ = './_base_/delete.py'
optim_wrapper = dict(optimizer=dict(lr=2e-3))
