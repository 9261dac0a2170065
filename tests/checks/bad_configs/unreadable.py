def lr():
    return 0.1


optimizer = dict(type='SGD', lr=lr())
