optimizer = dict(type='SGD', lr=0.1, momentun=0.9)
