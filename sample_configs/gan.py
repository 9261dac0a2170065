# optplan show sample_configs/gan.py --model sample_configs/models.py:Gan
# Each section is for the child of the model that it is named after, and sees the names below it alone.
optimizer = dict(
    generator=dict(type='Adam', lr=1e-4, betas=(0.5, 0.99)),
    discriminator=dict(
        type='AdamW', lr=4e-4, weight_decay=0.01,
        paramwise_cfg=dict(norm_decay_mult=0.)))
