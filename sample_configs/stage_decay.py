"""A constructor of a project's own; the reference runs it as well, with mmengine's names in the imports."""

from optplan import OPTIM_WRAPPER_CONSTRUCTORS, DefaultOptimWrapperConstructor


@OPTIM_WRAPPER_CONSTRUCTORS.register_module(force=True)
class StageDecayOptimWrapperConstructor(DefaultOptimWrapperConstructor):
    """Lowers the lr of a backbone stage by stage, and leaves all else to the default constructor."""

    def add_params(self, params, module, prefix='', is_dcn_module=None):
        first = len(params)
        super().add_params(params, module, prefix, is_dcn_module)
        stages = self.paramwise_cfg.get('stages', 4)
        if prefix.startswith('backbone.layer') and prefix.count('.') == 1:
            stage = int(prefix.removeprefix('backbone.layer'))
            rate = self.paramwise_cfg['stage_decay_rate'] ** (stages - stage)
            for group in params[first:]:
                group['lr'] = self.base_lr * rate
