from provrepo.hooks.kedro import ProvHooks

HOOKS = (ProvHooks(),)
