optimizer = dict(type='Muon', lr=0.1)
