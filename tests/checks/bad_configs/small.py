_base_ = './_base_/delete.py'
